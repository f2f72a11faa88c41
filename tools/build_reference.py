"""The pages of docs/reference: what the tables hold, each number with range, basis and source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from joulecast import Library
from joulecast.citing.citing import arxiv_number
from joulecast.data import specs
from joulecast.data.catalogue import evidence_of
from joulecast.data.records import Device, Figure, Source, figures_of

MADE = "<!-- Made by tools/build_docs.py from hardware_specs; edit the tables, not this file. -->\n"

#: Years of grid intensity that the page shows; the tables hold them all.
YEARS = ("2015", "2020", "2022", "2023", "2024", "2025")

#: Figures of a device in the order of the page.
UNITS = {
    "memory_gb": "GB",
    "memory_bandwidth_gb_per_s": "GB/s",
    "interconnect_gb_per_s": "GB/s",
    "tdp_w": "W",
    "device_power_w": "W",
    "host_power_w": "W",
    "matmul_share": "of peak",
    "tuned_share": "of peak",
    "die_mm2": "mm2",
    "embodied_kgco2e": "kg",
    "host_embodied_kgco2e": "kg",
}


def reference_pages() -> dict[str, str]:
    """File name -> text."""
    return {
        "devices.md": devices(),
        "grids.md": grids(),
        "sites.md": sites(),
        "sources.md": sources(),
    }


def devices() -> str:
    """Every device: what one is, and each figure with its range, basis and source."""
    library = Library.bundled()
    lines = [
        "# Devices\n",
        MADE,
        "Dense peaks, in TFLOP/s. Ranges are 5 % and 95 % points; none means exact. Sources are "
        "keys of\n`hardware_specs/sources.toml`; *unchecked* means quoted from memory.\n",
    ]
    lines += [*_by_maker(library), "", *_evidence(library), ""]
    for key in library.device_ids:
        device = library.device(key).device
        released = f"{device.release_date:%B %Y}" if device.release_date else "at an unknown date"
        words = f"Class {device.device_class}, released {released}"
        if device.status != "shipping":
            words = f"**{device.status.capitalize()}**. Class {device.device_class}"
        missing = f" Missing: {device.missing}." if device.missing else ""
        lines += [
            f"## {key}\n",
            f"{device.name}. One device: {device.one_device}. {words}.{missing}\n",
        ]
        rows = [
            (_title(name), *_figure(library, figure)) for name, figure in figures_of(device).items()
        ]
        lines += [*_table(("figure", "value", "low to high", "basis", "source"), rows), ""]
    return "\n".join(lines)


def _by_maker(library: Library) -> list[str]:
    """All devices on one screen: a row for each maker, newest first; no peak: in italics."""
    makers: dict[str, list[Device]] = {}
    for key in library.device_ids:
        device = library.device(key).device
        makers.setdefault(device.vendor, []).append(device)
    rows = []
    for maker, devices in sorted(makers.items(), key=lambda one: (-len(one[1]), one[0])):
        newest = sorted(devices, key=lambda d: str(d.release_date or ""), reverse=True)
        cells = []
        for status in ("shipping", "announced", "cancelled"):
            links = [_link(device) for device in newest if device.status == status]
            cells.append(", ".join(links))
        rows.append((maker, str(len(devices)), *cells))
    head = ("maker", "devices", "sold", "announced", "cancelled")
    note = (
        "Devices in *italics* are known by name: nobody published a 16-bit peak, and an estimate "
        "asks for one.\n"
    )
    return [note, *_table(head, rows)]


def _evidence(library: Library) -> list[str]:
    """Devices of whose training anything was published, the best known first."""
    found = [
        (device, evidence_of(device, library))
        for device in (library.device(key).device for key in library.device_ids)
    ]
    known = [one for one in found if any(one[1].values())]
    known.sort(key=lambda one: tuple(str(9999 - int(str(n))) for n in one[1].values()))
    rows = [
        (_link(device), *(str(count or "") for count in told.values())) for device, told in known
    ]
    note = (
        "What is known of training on a device (`joulecast show DEVICE`), families or submitters "
        "in brackets. Of the\nother devices nothing was published that counts here, and a forecast "
        "says so first.\n"
    )
    head = ("device", "runs", "(families", "of its generation)", "tuned entries", "(submitters)")
    return [note, *_table((*head, "speeds", "(families)", "meters"), rows)]


def _link(device: Device) -> str:
    link = f"[{device.id}](#{device.id})"
    return link if device.peak("bf16") else f"*{link}*"


def _title(name: str) -> str:
    kind, _, precision = name.partition(".")
    if kind == "precision_speedup":
        return f"{precision} over 16 bit"
    if kind == "host_power_by_cooling":
        return f"host_power_w, {precision}-cooled [W]"
    if kind == "other_peak_tflops":
        return f"also divided by: {precision.replace('_', ' ')}"
    if precision:
        return f"{precision} peak{', sparse' if kind.startswith('sparse') else ''}"
    return f"{name} [{UNITS[name]}]"


def _figure(library: Library, figure: Figure) -> tuple[str, str, str, str]:
    span = "" if figure.low is None else f"{figure.low:g} to {figure.high:g}"
    unchecked = " (unchecked)" if library.read_of(figure.source) == "recalled" else ""
    return f"{figure.value:g}", span, figure.basis, f"`{figure.source}`{unchecked}"


def grids() -> str:
    """Life-cycle intensity of every country, and direct factors, of some years."""
    core, _ = specs.read_folder(specs.bundled_folder())
    names = {iso3: row["name"] for iso3, row in core["countries"].items()} | {"WLD": "World"}
    ember = [
        (names[iso3], iso3, *(_number(years.get(year)) for year in YEARS))
        for iso3, years in sorted(core["grids_ember"].items(), key=lambda item: names[item[0]])
    ]
    direct = [
        (area, year, _number(row["gco2e_per_kwh"]), f"`{row['source']}`")
        for area, years in sorted(core["grids_direct"].items())
        for year, row in sorted(years.items())[-1:]
    ]
    return "\n".join(
        [
            "# Grids\n",
            MADE,
            "g CO2e per kWh, yearly means. Zones of Electricity Maps are under a licence of their "
            "own and stand in\n`hardware_specs/grids_electricitymaps.csv` alone; `joulecast show "
            "REGION --year Y` shows one with its range.\n",
            "## Countries: life-cycle, production mix (`ember-2026`, CC BY 4.0)\n",
            *_table(("country", "code", *YEARS), ember),
            "",
            "## Direct (stack) emissions, latest year\n",
            *_table(("area", "year", "g/kWh", "source"), direct),
            "",
        ]
    )


def sites() -> str:
    """PUE and water: fleets, cloud regions, sites, countries."""
    library = Library.bundled()
    core, _ = specs.read_folder(specs.bundled_folder())
    fleets = [
        (
            row["name"],
            year,
            row["pue"],
            f"{row['pue_low']} to {row['pue_high']}" if row["pue"] else "",
            row["wue_l_per_kwh"],
            row["wue_kind"],
            f"`{row['source']}`",
        )
        for _, years in sorted(core["providers"].items())
        for year, row in sorted(years.items())
    ]
    regions = [
        (f"{provider}:{name}", row["name"], row["zone"], *_latest(row, "pue"), *_latest(row, "wue"))
        for provider, rows in sorted(core["regions"].items())
        for name, row in sorted(rows.items())
    ]
    own = [
        (key, site["name"], *_figure(library, Figure.made_of(site["pue"])))
        for key, site in sorted(core["sites"].items())
        if "pue" in site
    ]
    water = [
        (library.country_name(iso3) if iso3 != "WLD" else "World", _number(factor))
        for iso3, factor in sorted(core["water"].items())
    ]
    return "\n".join(
        [
            "# PUE and water\n",
            MADE,
            "## Fleets and classes of site\n",
            *_table(
                ("fleet", "year", "PUE", "5 % to 95 %", "WUE [L/kWh]", "kind", "source"), fleets
            ),
            "",
            "## Cloud regions, latest year\n",
            *_table(("region", "name", "zone", "PUE", "year", "WUE [L/kWh]", "year"), regions),
            "",
            "## Single sites\n",
            *_table(("site", "name", "PUE", "5 % to 95 %", "basis", "source"), own),
            "",
            "## Off-site water by country, all reservoir evaporation counted (`wri-2020`)\n",
            *_table(("country", "L/kWh"), water),
            "",
        ]
    )


def sources() -> str:
    """Every work that is cited: how its figure is known, and how far its entry was checked."""
    library = Library.bundled()
    works = [library.source(key) for key in library.source_keys]
    rows = [
        (f"`{work.key}`", _work(work), work.read, _check(work))
        for work in works
        if work.kind != "judgement"
    ]
    return "\n".join(
        [
            "# Sources\n",
            MADE,
            "*Read* says how the figure is known: `primary`, the work itself was read; `secondary`,"
            " a\nstored copy or an account of it; `recalled`, from memory, so it is never cited. "
            "*Entry* says how\nfar authors, title, year and address were compared with what others "
            "print, when and with what;\nempty, that nobody did.\n",
            *_table(("key", "work", "read", "entry"), rows),
            "",
        ]
    )


def _work(source: Source) -> str:
    """Authors, year, title and address of a work."""
    number, title = arxiv_number(source), source.title.replace("<", "&lt;").replace("$", "\\$")
    where = f"arXiv:{number}" if number else source.journal or source.publisher or "page"
    address = f"https://doi.org/{source.doi}" if source.journal and source.doi else source.url
    return f"{source.label}, *{title}*. " + (f"[{where}]({address})" if address else where)


def _check(source: Source) -> str:
    said = [source.entry if source.entry != "unstated" else ""]
    if source.checked:
        said.append(f"{source.checked}, {source.checked_against}")
    if source.unconfirmed:
        said.append(f"not confirmed: {source.unconfirmed}")
    return "; ".join(part for part in said if part)


def _latest(row: dict[str, str], quantity: str) -> tuple[str, str]:
    """Latest figure of a region and its year."""
    years = [name[4:] for name in row if name.startswith(f"{quantity}_2") and row[name]]
    return (row[f"{quantity}_{max(years)}"], max(years)) if years else ("", "")


def _number(value: str | float | None) -> str:
    return "" if value is None else f"{float(value):.4g}"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(line)} |" for line in (names, ["---"] * len(names), *rows)]
