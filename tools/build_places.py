r"""Builds the tables of cloud regions, providers and water from downloaded figures.

Usage (after build_grids.py, whose countries.csv and zones.csv it checks against):

    python tools/build_places.py --regions cloud_regions.csv --fleets pue_wue.csv \
        --water water.csv [--out hardware_specs]

Writes regions.csv, providers.csv and water.csv, checks that the hand-kept states.csv and
sites.toml name only zones that exist, and prints what it left out or changed.
Columns expected of the inputs:

    regions  provider, region, location, country (iso2), electricitymaps_zone, egrid_subregion,
             pue_2022 .. pue_2025, pue_default_level, wue_2022, wue_2024, wue_2025
    fleets   provider, scope, year, pue, wue_l_per_kwh, confidence
    water    iso3 (or WORLD), l_per_kwh_consumption

Corrections of the inputs and the figures that are our own judgement stand in this file.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tables import number, read_rows, write_table

PUE_YEARS = ("pue_2022", "pue_2023", "pue_2024", "pue_2025")
WUE_YEARS = ("wue_2022", "wue_2024", "wue_2025")

#: What the region table gets wrong, and why we say so.
CORRECTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("aws", "eu-north-1"): {
        "country": "SE",
        "electricitymaps_zone": "SE-SE3",
        "why": "source files Stockholm under Spain; moved to Sweden",
    },
    ("gcp", "europe-north1"): {
        "country": "FI",
        "electricitymaps_zone": "FI",
        "why": "source files Hamina under Australia; moved to Finland",
    },
    ("azure", "northcentralus"): {
        "electricitymaps_zone": "US-MIDA-PJM",
        "why": "source has US-MIDW-MISO; Chicago's utility belongs to PJM",
    },
    ("azure", "swedencentral"): {
        "location": "Sweden Central",
        "electricitymaps_zone": "SE-SE3",
        "why": "zone of Gävle and Sandviken; source has the whole country",
    },
    ("azure", "asiapacific"): {
        "region": "indonesiacentral",
        "location": "Indonesia Central",
        "why": "source names the geography; renamed to the region",
    },
    ("gcp", "me-central2"): {"location": "Dammam", "why": ""},
}

#: Rows that are no region one can use.
LEFT_OUT = {("azure", "finland(planned)"): "planned, without an id"}

#: Mapping of regions that is our judgement.
JUDGED = {
    ("aws", "us-gov-west-1"): "zone judged: Oregon",
    ("aws", "us-west-2"): "zone judged: Umatilla and Morrow counties; others of Oregon are dirtier",
    ("azure", "westcentralus"): "eGRID subregion judged: RMPA or NWPP",
    ("azure", "westus3"): "zone judged: AZPS or SRP, both of Phoenix",
    ("gcp", "us-west4"): "eGRID subregion judged: NWPP or AZNM",
}

#: Areas of grids_direct.csv outside the United States.
DIRECT_AREAS = {("aws", "cn-north-1"): "CN-BJ", ("aws", "cn-northwest-1"): "CN-NX"}

LEVELS = {"region": "region", "continent": "continent", "provider-global": "provider"}
REGION_SOURCES = {
    "aws": "aws-regions-2025",
    "azure": "azure-regions-2025",
    "gcp": "gcp-regions-2026",
}

NAMES = {
    "aws": "Amazon Web Services",
    "azure": "Microsoft Azure",
    "gcp": "Google Cloud",
    "meta": "Meta",
    "oracle": "Oracle Cloud Infrastructure",
    "ovhcloud": "OVHcloud",
    "alibaba": "Alibaba Cloud",
    "coreweave": "CoreWeave",
    "neocloud": "GPU cloud (class)",
    "hpc": "HPC centre (class)",
    "on-prem": "On premises (class)",
    "public-cloud-average": "Public cloud, world average",
    "industry-average": "All surveyed data centres, world average",
}

#: Standard deviation of PUE over the regions of a fleet; 5 % and 95 % points lie 1.645 off.
SPREAD = {"aws": 0.06, "gcp": 0.02, "azure": 0.07}
OTHER_SPREAD = 0.05
FLOOR = 1.03

#: (provider, scope) of the fleet table -> provider here.  Everything else is a site or a part.
SCOPES = {
    ("aws", "fleet"): "aws",
    ("azure", "fleet (Microsoft FY)"): "azure",
    ("gcp", "fleet"): "gcp",
    ("meta", "fleet"): "meta",
    ("ovhcloud", "fleet"): "ovhcloud",
    ("alibaba", "fleet"): "alibaba",
    ("public-cloud-average", "world"): "public-cloud-average",
    ("industry-average", "world"): "industry-average",
}

#: Provider -> keys of its source: (read at a source, recalled).
FLEET_SOURCES = {
    "aws": ("aws-fleet-2025", ""),
    "azure": ("azure-fleet-2025", "azure-fleet-recalled"),
    "gcp": ("google-fleet-2026", "google-fleet-recalled"),
    "meta": ("meta-fleet-2025", "meta-fleet-recalled"),
    "ovhcloud": ("", "ovhcloud-recalled"),
    "alibaba": ("", "alibaba-recalled"),
    "public-cloud-average": ("idc-2025", ""),
    "industry-average": ("uptime-2025", "uptime-recalled"),
}

#: What a provider's WUE counts; other providers do not say.
WUE_KIND = {"aws": "withdrawal", "meta": "withdrawal", "gcp": "consumption"}

#: WUE figures whose source differs from that of the PUE beside them.
WUE_SOURCES = {("gcp", 2024): "elsworth-2025", ("meta", 2024): "meta-fleet-2025"}

NOTES = {
    "azure": "Microsoft fiscal year",
    "public-cloud-average": "range is that of the mean; single sites spread wider",
    "industry-average": "range is that of the mean; single sites spread wider",
}


@dataclass(frozen=True)
class Fleet:
    """A provider's figures of one year."""

    provider: str
    year: int
    pue: float | None
    low: float | None = None
    high: float | None = None
    wue: str = ""
    source: str = ""
    wue_source: str = ""
    note: str = ""
    wue_kind: str = field(default="")

    def row(self) -> list[str]:
        """Cells in the order of providers.csv."""
        pue, low, high = (
            "" if x is None else number(x, 4) for x in (self.pue, self.low, self.high)
        )
        return [
            self.provider,
            NAMES[self.provider],
            str(self.year),
            pue,
            low,
            high,
            self.wue,
            self.wue_kind,
            self.source,
            self.wue_source,
            self.note,
        ]


#: Classes of site, and fleets of which we know no yearly mean: judgement, not survey.
CLASSES = (
    Fleet("hpc", 2025, 1.10, 1.03, 1.35, source="joulecast-pue-classes"),
    Fleet("neocloud", 2025, 1.25, 1.10, 1.45, source="joulecast-pue-classes"),
    Fleet("coreweave", 2025, 1.25, 1.10, 1.45, source="joulecast-pue-classes", note="as neocloud"),
    Fleet(
        "on-prem",
        2024,
        1.50,
        1.20,
        2.00,
        source="joulecast-pue-classes",
        note="survey means: 1.63 (IDC, on-premises), 1.56 (Uptime, all sites)",
    ),
    Fleet(
        "oracle",
        2023,
        1.39,
        1.24,
        1.80,
        source="gsf-real-time-cloud",
        note="median and 5 to 95 % of 41 regions; Oracle itself quotes 'as low as 1.15'",
    ),
)


def regions(
    path: Path, iso3_of: dict[str, str], zones: set[str], subregions: set[str]
) -> list[list[str]]:
    """Rows of regions.csv, corrected and checked."""
    needed = ("provider", "region", "location", "country", "electricitymaps_zone")
    rows = []
    for row in read_rows(path, (*needed, "pue_default_level", *PUE_YEARS, *WUE_YEARS)):
        key = (row["provider"], row["region"])
        if key in LEFT_OUT:
            print(f"regions: left out {key[0]} {key[1]}: {LEFT_OUT[key]}")
            continue
        correction = CORRECTIONS.get(key, {})
        row |= {name: text for name, text in correction.items() if name != "why"}
        level = LEVELS[row["pue_default_level"]]
        notes = [correction.get("why", ""), JUDGED.get(key, ""), *same_level(row, level)]
        zone, subregion = row["electricitymaps_zone"], row["egrid_subregion"]
        if zone not in zones or zone.split("-")[0] != row["country"]:
            raise SystemExit(f"error: {key}: zone {zone} in {row['country']}")
        if subregion and subregion not in subregions:
            raise SystemExit(f"error: {key}: no eGRID subregion {subregion}")
        if correction:
            print(f"regions: corrected {key[0]} {key[1]}: {correction}")
        rows.append(
            [
                row["provider"],
                row["region"],
                display_name(row["location"]),
                iso3_of[row["country"]],
                zone,
                subregion,
                DIRECT_AREAS.get(key, ""),
                *(number(row[y], 4) if row[y] else "" for y in PUE_YEARS),
                level,
                *(number(row[y], 4) if row[y] else "" for y in WUE_YEARS),
                FLEET_SOURCES[row["provider"]][0]
                if level == "provider"
                else REGION_SOURCES[row["provider"]],
                "; ".join(filter(None, notes)),
            ]
        )
    twice = [key for key, n in Counter((r[0], r[1]) for r in rows).items() if n > 1]
    if twice:
        raise SystemExit(f"error: regions that stand twice: {twice}")
    return sorted(rows)


def same_level(row: dict[str, str], level: str) -> list[str]:
    """Blank the figures of `row` that are not of `level`, in place; return notes.

    Microsoft stopped publishing by region after FY2023: its 2025 figures are means over
    continents.  Its figures of 2022 for regions without one of 2023 look like design values:
    many are 1.12, some belong to regions that opened later.
    """
    if level == "continent" and row["provider"] == "azure":
        design = row["pue_2022"]
        row["pue_2022"] = row["wue_2022"] = ""
        notes = ["mean over the continent, FY2025"]
        aside = f"2022 figure {design} left out, apparently a design value"
        return [*notes, aside] if design else notes
    if level == "continent":
        return ["mean over the continent, 2025"]
    if row["provider"] == "azure":
        row["pue_2025"] = row["wue_2025"] = ""
        return ["no figures by region after FY2023"]
    return []


def display_name(location: str) -> str:
    """Region name before its place: "Iowa: Central US" becomes "Central US (Iowa)"."""
    place, colon, name = location.partition(": ")
    return f"{name[0].upper()}{name[1:]} ({place})" if colon else location


def providers(path: Path) -> list[list[str]]:
    """Rows of providers.csv: fleet figures by year, and classes."""
    fleets = list(CLASSES)
    for row in read_rows(path, ("provider", "scope", "year", "pue", "wue_l_per_kwh", "confidence")):
        provider = SCOPES.get((row["provider"], row["scope"]))
        if provider is None:
            print(f"fleets: left out {row['provider']} {row['scope']} {row['year']}")
            continue
        year, recalled = int(row["year"]), "recalled" in row["confidence"]
        pue = float(row["pue"]) if row["pue"] else None
        off = 1.645 * SPREAD.get(provider, OTHER_SPREAD)
        fleets.append(
            Fleet(
                provider,
                year,
                pue,
                None if pue is None else max(FLOOR, pue - off),
                None if pue is None else pue + off,
                number(row["wue_l_per_kwh"], 4) if row["wue_l_per_kwh"] else "",
                FLEET_SOURCES[provider][recalled],
                WUE_SOURCES.get((provider, year), ""),
                NOTES.get(provider, ""),
                WUE_KIND.get(provider, "unstated") if row["wue_l_per_kwh"] else "",
            )
        )
    unsourced = [(fleet.provider, fleet.year) for fleet in fleets if not fleet.source]
    if unsourced:
        raise SystemExit(f"error: no source for {unsourced}")
    return sorted((fleet.row() for fleet in fleets), key=lambda cells: (cells[0], int(cells[2])))


def water(path: Path, countries: set[str]) -> list[list[str]]:
    """Rows of water.csv; the world under WLD."""
    rows = []
    for row in read_rows(path, ("iso3", "l_per_kwh_consumption")):
        iso3 = "WLD" if row["iso3"] == "WORLD" else row["iso3"]
        if iso3 != "WLD" and iso3 not in countries:
            raise SystemExit(f"error: water: unknown country {iso3}")
        rows.append([iso3, number(row["l_per_kwh_consumption"], 4)])
    return sorted(rows)


def check_hand_kept(out: Path, zones: set[str], subregions: set[str]) -> None:
    """Zones and subregions of the tables kept by hand must exist."""
    for row in read_rows(out / "states.csv", ("id", "iso3", "zone", "egrid_subregion")):
        if row["iso3"] != "USA":
            continue  # provinces of China: no zone, a direct factor by id
        if row["zone"] not in zones or row["egrid_subregion"] not in subregions:
            raise SystemExit(f"error: states.csv: {row['id']}: no such zone or subregion")
    sites = tomllib.loads((out / "sites.toml").read_text(encoding="utf-8"))
    for key, site in sites.items():
        if site["zone"] not in zones:
            raise SystemExit(f"error: sites.toml: {key}: no zone {site['zone']}")


def main() -> None:
    """Read the arguments and write the tables."""
    parser = argparse.ArgumentParser(
        description="Build the tables of cloud regions, providers and water."
    )
    for name in ("regions", "fleets", "water"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("hardware_specs"))
    args = parser.parse_args()
    out: Path = args.out

    iso3_of = {r["iso2"]: r["iso3"] for r in read_rows(out / "countries.csv", ("iso2", "iso3"))}
    zones = {r["zone"] for r in read_rows(out / "zones.csv", ("zone",))}
    areas = {r["area"] for r in read_rows(out / "grids_direct.csv", ("area",))}
    subregions = {area.removeprefix("egrid:") for area in areas if area.startswith("egrid:")}
    check_hand_kept(out, zones, subregions)

    counts = {
        "regions.csv": write_table(
            out / "regions.csv",
            (
                "Regions of three cloud providers: where they are, their PUE and on-site WUE.",
                "Sources: per row for PUE and WUE (2022 to 2024 by way of the Green Software"
                " Foundation's Real-Time-Cloud table, no intensity taken from it);"
                " joulecast-judgement for egrid_subregion, and for zone where the note says so.",
                "Licence: facts, compiled for joulecast. Zone ids are those of Electricity Maps.",
                "provider, region: ids as the provider spells them. name: for show, not for"
                " look-up. iso3: country. zone: Electricity Maps zone. egrid_subregion: US only."
                " direct_area: area of grids_direct.csv elsewhere.",
                "pue_YYYY: ratio, blank where unknown. pue_level: what every figure of the row is"
                " the mean of (region, continent; provider: none of its own, see providers.csv).",
                "wue_YYYY: L per kWh of IT energy, of the wue_kind that providers.csv has for the"
                " provider: aws counts withdrawal, azure does not say."
                " source_pue: key. Google's figures of 2023 and 2024 are equal at the source.",
            ),
            (
                "provider",
                "region",
                "name",
                "iso3",
                "zone",
                "egrid_subregion",
                "direct_area",
                *PUE_YEARS,
                "pue_level",
                *WUE_YEARS,
                "source_pue",
                "note",
            ),
            regions(args.regions, iso3_of, zones, subregions),
        ),
        "providers.csv": write_table(
            out / "providers.csv",
            (
                "PUE and on-site WUE of whole fleets by year, and of classes of site.",
                "Source: per row. Licence: facts, compiled for joulecast.",
                "pue, pue_low, pue_high: ratio, with 5 % and 95 % points for one region of the"
                f" fleet: 1.645 standard deviations off (aws {SPREAD['aws']}, azure"
                f" {SPREAD['azure']}, gcp {SPREAD['gcp']}, others {OTHER_SPREAD}), not below"
                f" {FLOOR}. Ranges of classes and of oracle are their own.",
                "wue_l_per_kwh: L per kWh of IT energy. wue_kind: withdrawal, consumption or"
                " unstated; the kinds do not compare.",
                "source: key, of the PUE where there is one. wue_source: key, only where it"
                " differs. Keys ending in -recalled are unchecked.",
            ),
            (
                "provider",
                "name",
                "year",
                "pue",
                "pue_low",
                "pue_high",
                "wue_l_per_kwh",
                "wue_kind",
                "source",
                "wue_source",
                "note",
            ),
            providers(args.fleets),
        ),
        "water.csv": write_table(
            out / "water.csv",
            (
                "Water consumed by the power plants of a country per kWh they generate.",
                "Source: wri-2020 (country factors, by way of EcoLogits 0.11.3).",
                "Licence: CC BY 4.0: attribute World Resources Institute.",
                "iso3: country, WLD is the generation-weighted mean of the source's countries."
                " l_per_kwh: L per kWh, consumption; all evaporation of hydropower reservoirs"
                " counted; about 2018.",
            ),
            ("iso3", "l_per_kwh"),
            water(args.water, set(iso3_of.values())),
        ),
    }
    for name, count in counts.items():
        print(f"{name}: {count} rows")


if __name__ == "__main__":
    main()
