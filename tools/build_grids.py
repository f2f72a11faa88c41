r"""Builds the tables of countries, zones and grid intensities from downloaded figures.

Usage (needs pycountry, for ISO 3166 codes):

    python tools/build_grids.py --ember ember.csv --electricity-maps zones.csv \
        --egrid egrid.csv --egrid-states states.csv --china provinces.csv \
        [--out hardware_specs]

Writes countries.csv, zones.csv, grids_ember.csv, grids_electricitymaps.csv,
grids_within_country.csv and grids_direct.csv, and prints what it left out.
Columns expected of the inputs, all in g/kWh:

    ember             entity, iso3, year, gco2e_per_kwh_lifecycle_generation
    electricity-maps  zone, zone_name, year, gco2e_per_kwh_lifecycle_consumption
    egrid             subregion (or US), year, gco2e_per_kwh_direct
    egrid-states      state, year, gco2e_per_kwh_direct
    china             zone, year, gco2_per_kwh_direct

The names a country also goes by are kept by hand, in ALIASES below.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import quantiles

import pycountry
from tables import number, read_rows, write_table

WORLD = "WLD"

#: Codes in use that ISO 3166 does not list: Kosovo, and the European Union, for which it keeps EU.
EXTRA_ISO2 = {"XKX": "XK", "EUU": "EU"}
OWID_CODES = {"OWID_WRL": WORLD, "OWID_KOS": "XKX", "OWID_EU27": "EUU"}

#: Countries whose zones differ so widely that a country alone says little.
SPLIT_COUNTRIES = ("AUS", "BRA", "CAN", "IND", "ITA", "JPN", "SWE", "USA")

#: Last year of the eGRID vintages that come through NREL and look loss-adjusted.
LAST_NREL_YEAR = 2019

#: Names that mean the same country, kept by hand.  Parts of a country do not belong here.
ALIASES: dict[str, str] = {
    "ARE": "UAE;Emirates",
    "BHS": "The Bahamas",
    "BIH": "Bosnia;Bosnia-Herzegovina",
    "BOL": "Plurinational State of Bolivia",
    "BRA": "Brasil",
    "BRN": "Brunei Darussalam",
    "BLR": "Belorussia",
    "CHE": "Swiss Confederation;Schweiz;Suisse",
    "CHN": "People's Republic of China;PRC;Mainland China",
    "CIV": "Ivory Coast;Côte d'Ivoire",
    "COD": "Democratic Republic of the Congo;DR Congo;DRC;Congo-Kinshasa;Congo, The Democratic "
    "Republic of the",
    "COG": "Republic of the Congo;Congo-Brazzaville",
    "CPV": "Cabo Verde",
    "CZE": "Czech Republic",
    "DEU": "Deutschland;Federal Republic of Germany",
    "ESP": "España",
    "EUU": "European Union;EU27;EU-27",
    "FLK": "Falklands;Malvinas;Falkland Islands (Malvinas)",
    "FRO": "Faeroe Islands;Faroes",
    "GBR": "UK;U.K.;Great Britain;Britain;United Kingdom of Great Britain and Northern Ireland",
    "GEO": "Republic of Georgia;Sakartvelo",
    "GMB": "The Gambia",
    "HKG": "Hong Kong SAR;Hong Kong SAR China",
    "IRL": "Republic of Ireland;Éire",
    "IRN": "Islamic Republic of Iran;Iran, Islamic Republic of",
    "ITA": "Italia",
    "KGZ": "Kyrgyz Republic",
    "KNA": "St Kitts and Nevis;St. Kitts and Nevis",
    "KOR": "Republic of Korea;Korea, Republic of;ROK",
    "LAO": "Lao PDR;Lao People's Democratic Republic",
    "LBY": "State of Libya",
    "LCA": "St Lucia;St. Lucia",
    "MAC": "Macau;Macao SAR",
    "MDA": "Republic of Moldova;Moldova, Republic of",
    "MEX": "México",
    "MKD": "Macedonia;Republic of North Macedonia",
    "MMR": "Burma",
    "NLD": "The Netherlands;Holland",
    "NZL": "Aotearoa",
    "PRK": "DPRK;Democratic People's Republic of Korea;Korea, Democratic People's Republic of",
    "PSE": "State of Palestine;Palestine, State of",
    "REU": "Réunion;La Réunion",
    "RUS": "Russian Federation",
    "SAU": "KSA;Kingdom of Saudi Arabia",
    "SHN": "Saint Helena, Ascension and Tristan da Cunha;St Helena",
    "SPM": "St Pierre and Miquelon",
    "STP": "São Tomé and Príncipe",
    "SVK": "Slovak Republic",
    "SWZ": "Swaziland",
    "SYR": "Syrian Arab Republic",
    "TLS": "Timor-Leste",
    "TUR": "Türkiye;Turkiye",
    "TWN": "Taiwan, Province of China;Chinese Taipei",
    "TZA": "United Republic of Tanzania;Tanzania, United Republic of",
    "USA": "U.S.;U.S.A.;United States of America;America",
    "VCT": "St Vincent and the Grenadines;St. Vincent and the Grenadines",
    "VEN": "Bolivarian Republic of Venezuela;Venezuela, Bolivarian Republic of",
    "VGB": "BVI;Virgin Islands, British",
    "VIR": "USVI;US Virgin Islands;U.S. Virgin Islands;Virgin Islands, U.S.",
    "VNM": "Viet Nam",
    "ZAF": "RSA;Republic of South Africa",
}

ODBL = (
    "Source: electricitymaps-2026 (Electricity Maps, as redistributed in CO2.js of the Green Web"
    " Foundation).",
    "Licence: Open Database License (ODbL) 1.0: attribute Electricity Maps, share alike. joulecast"
    " works without this file: remove it where the licence does not suit.",
)


def iso2_of(iso3: str) -> str:
    """Two-letter code of a three-letter one."""
    if iso3 in EXTRA_ISO2:
        return EXTRA_ISO2[iso3]
    country = pycountry.countries.get(alpha_3=iso3)
    if country is None:
        raise SystemExit(f"error: {iso3} is not an ISO 3166 code")
    return str(country.alpha_2)


def iso3_of_zone(zone: str) -> str:
    """Country of an Electricity Maps zone, whose id begins with the two-letter code."""
    iso2 = zone.split("-", maxsplit=1)[0]
    for extra3, extra2 in EXTRA_ISO2.items():
        if iso2 == extra2:
            return extra3
    country = pycountry.countries.get(alpha_2=iso2)
    if country is None:
        raise SystemExit(f"error: zone {zone}: {iso2} is not an ISO 3166 code")
    return str(country.alpha_3)


def is_zone_of_its_own(zone: str, zones: set[str]) -> bool:
    """Whether a zone is neither a country's total nor an islet within another zone.

    A total has the bare country code (US).  An islet extends the id of a zone that is not a
    total: AU-TAS-FI (Flinders Island) beside AU-TAS.  US-NY-NYIS stays: there is no US-NY.
    """
    parts = zone.split("-")
    parents = ("-".join(parts[:n]) for n in range(2, len(parts)))
    return len(parts) > 1 and not any(parent in zones for parent in parents)


def ember(path: Path) -> tuple[dict[str, str], dict[tuple[str, int], float]]:
    """Names by iso3 and intensity by (iso3, year); aggregates and impossible zeros left out."""
    names: dict[str, str] = {}
    grid: dict[tuple[str, int], float] = {}
    aggregates: set[str] = set()
    zeros: dict[str, int] = defaultdict(int)
    column = "gco2e_per_kwh_lifecycle_generation"
    for row in read_rows(path, ("entity", "iso3", "year", column)):
        iso3 = OWID_CODES.get(row["iso3"], row["iso3"])
        if not iso3 or iso3.startswith("OWID_"):
            aggregates.add(row["entity"])
        elif float(row[column]) <= 0:
            zeros[iso3] += 1
        else:
            if iso3 != WORLD:
                names[iso3] = row["entity"]
            grid[iso3, int(row["year"])] = float(row[column])
    print(f"ember: left out {len(aggregates)} aggregates and rows of 0 g/kWh {dict(zeros)}")
    return names, grid


def electricity_maps(path: Path) -> tuple[dict[str, str], dict[tuple[str, int], float]]:
    """Names by zone and intensity by (zone, year)."""
    names: dict[str, str] = {}
    grid: dict[tuple[str, int], float] = {}
    column = "gco2e_per_kwh_lifecycle_consumption"
    for row in read_rows(path, ("zone", "zone_name", "year", column)):
        zone = row["zone"].upper()
        names[zone] = row["zone_name"]
        grid[zone, int(row["year"])] = float(row[column])
    return names, grid


def within_country(
    zone_names: dict[str, str],
    zone_grid: dict[tuple[str, int], float],
    national: dict[tuple[str, int], float],
) -> list[list[str]]:
    """5th and 95th percentile over a country's zones, unweighted, linear between ranks."""
    zones = {zone for zone in zone_names if is_zone_of_its_own(zone, set(zone_names))}
    values: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (zone, year), value in zone_grid.items():
        iso3 = iso3_of_zone(zone)
        if iso3 in SPLIT_COUNTRIES and zone in zones:
            values[iso3, year].append(value)
    rows = []
    for (iso3, year), found in sorted(values.items()):
        cuts = quantiles(found, n=20, method="inclusive")
        low, high = cuts[0], cuts[-1]
        mean = national.get((iso3, year))
        if mean is not None and not low <= mean <= high:
            print(f"note: {iso3} {year}: national {mean:g} outside zones {low:g}..{high:g}")
        rows.append([iso3, str(year), number(low, 4), number(high, 4), str(len(found))])
    return rows


def direct(egrid: Path, states: Path, china: Path) -> list[list[str]]:
    """Direct factors by area and year, each row with its source."""
    rows: list[tuple[str, int, float, str]] = []
    column = "gco2e_per_kwh_direct"
    for row in read_rows(egrid, ("subregion", "year", column)):
        year = int(row["year"])
        area = "US" if row["subregion"] == "US" else f"egrid:{row['subregion']}"
        source = "egrid-nrel" if year <= LAST_NREL_YEAR else f"egrid-{year}"
        rows.append((area, year, float(row[column]), source))
    for row in read_rows(states, ("state", "year", column)):
        year = int(row["year"])
        rows.append((f"US-{row['state']}", year, float(row[column]), f"egrid-{year}"))
    for row in read_rows(china, ("zone", "year", "gco2_per_kwh_direct")):
        value = float(row["gco2_per_kwh_direct"])
        rows.append((row["zone"], int(row["year"]), value, f"mee-china-{row['year']}"))
    return [[area, str(year), number(g, 5), source] for area, year, g, source in sorted(rows)]


def main() -> None:
    """Read the arguments and write the tables."""
    parser = argparse.ArgumentParser(
        description="Build the tables of countries, zones and grid intensities."
    )
    for name in ("ember", "electricity-maps", "egrid", "egrid-states", "china"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("hardware_specs"))
    args = parser.parse_args()
    out: Path = args.out

    names, national = ember(args.ember)
    zone_names, zone_grid = electricity_maps(args.electricity_maps)
    unknown = set(ALIASES) - set(names)
    if unknown:
        raise SystemExit(f"error: ALIASES names countries without data: {sorted(unknown)}")

    counts = {
        "countries.csv": write_table(
            out / "countries.csv",
            (
                "Countries and territories with a national grid intensity.",
                "Source: names from ember-2026, codes ISO 3166-1 (XK, XKX for Kosovo in common"
                " use); aliases kept by hand in tools/build_grids.py.",
                "Licence: CC BY 4.0 (names), facts otherwise.",
                "iso2, iso3: codes. name: as shown. aliases: other names of the same country,"
                " separated by semicolons.",
            ),
            ("iso2", "iso3", "name", "aliases"),
            ([iso2_of(i), i, name, ALIASES.get(i, "")] for i, name in sorted(names.items())),
        ),
        "grids_ember.csv": write_table(
            out / "grids_ember.csv",
            (
                "Carbon intensity of electricity generated in a country, by year.",
                "Source: ember-2026 (Ember, Yearly Electricity Data; Our World in Data).",
                "Licence: CC BY 4.0: attribute Ember and Our World in Data.",
                "Basis: life-cycle CO2e, production mix, before grid losses, imports not counted.",
                f"iso3: country, {WORLD} is the world. year. gco2e_per_kwh: g CO2e per kWh.",
                "Years in which a tiny grid rounds to 0 g/kWh are left out. Very small grids move"
                " in steps, from rounding at the source.",
            ),
            ("iso3", "year", "gco2e_per_kwh"),
            ([i, str(year), number(g, 5)] for (i, year), g in sorted(national.items())),
        ),
        "zones.csv": write_table(
            out / "zones.csv",
            (
                "Zones of Electricity Maps: countries, and grid areas within them.",
                *ODBL,
                "zone: id as Electricity Maps spells it; a bare two-letter id is a whole country."
                " name. iso3: country the zone lies in.",
            ),
            ("zone", "name", "iso3"),
            ([zone, name, iso3_of_zone(zone)] for zone, name in sorted(zone_names.items())),
        ),
        "grids_electricitymaps.csv": write_table(
            out / "grids_electricitymaps.csv",
            (
                "Carbon intensity of electricity consumed in a zone, by year.",
                *ODBL,
                "Basis: life-cycle CO2e, consumption mix (imports traced to where they come from).",
                "zone: id, see zones.csv. year. gco2e_per_kwh: g CO2e per kWh.",
            ),
            ("zone", "year", "gco2e_per_kwh"),
            ([zone, str(year), number(g, 4)] for (zone, year), g in sorted(zone_grid.items())),
        ),
        "grids_within_country.csv": write_table(
            out / "grids_within_country.csv",
            (
                "How far the zones of one country lie apart, by year: for a run whose place is"
                " known no better than the country.",
                "Derived here from grids_electricitymaps.csv.",
                *ODBL,
                "Basis: life-cycle CO2e, consumption mix.",
                "Zones counted once each, not by load. Left out: the country's total, and islets"
                " whose id extends another zone's (AU-TAS-FI, AU-TAS-KI, AU-WA-RI, US-AK-SEAPA).",
                "iso3. year. p5, p95: 5th and 95th percentile over zones, linear between ranks, g"
                " CO2e per kWh. zones: how many.",
            ),
            ("iso3", "year", "p5", "p95", "zones"),
            within_country(zone_names, zone_grid, national),
        ),
        "grids_direct.csv": write_table(
            out / "grids_direct.csv",
            (
                "Direct (stack) carbon intensity of electricity, by area and year.",
                "Source: per row. Licence: US government work (public domain) for egrid-2023 and"
                " egrid-2024; BSD-style for the file behind egrid-nrel; government facts for"
                " mee-china-2023.",
                "Basis: burning of fuel at the plant, production mix; no upstream, no construction."
                " Not comparable with the life-cycle tables.",
                "egrid-nrel (2007 to 2019) looks delivered, that is adjusted for grid losses (about"
                " +5 %); egrid-2023 and egrid-2024 are at the plant. mee-china-2023 is CO2 alone.",
                "area: egrid:XXXX is an eGRID subregion, US the country, US-XX a state, CN-XX a"
                " Chinese province. year. gco2e_per_kwh: g CO2e per kWh. source: key.",
            ),
            ("area", "year", "gco2e_per_kwh", "source"),
            direct(args.egrid, args.egrid_states, args.china),
        ),
    }
    for name, count in counts.items():
        print(f"{name}: {count} rows")
    stray = sorted({iso3_of_zone(zone) for zone in zone_names} - set(names))
    print(f"zones of countries without a national series: {', '.join(stray)}")


if __name__ == "__main__":
    main()
