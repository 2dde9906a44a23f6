"""Writes the SBOM of the release next to its packages: the CycloneDX file that maturin put into the wheel.

    sbom.py FOLDER NAME

reads the only wheel of FOLDER for the machine in NAME (logmill-VERSION-TARGET), and writes NAME.cyclonedx.json.
"""

import sys
import zipfile
from pathlib import Path


def main(folder: Path, name: str) -> None:
    """Copies the file."""
    _, version, target = name.split("-", 2)
    (wheel,) = folder.glob(f"logmill-{version}-*_{target.split('-')[0]}.whl")
    with zipfile.ZipFile(wheel) as files:
        (sbom,) = (path for path in files.namelist() if path.endswith(".cyclonedx.json"))
        (folder / f"{name}.cyclonedx.json").write_bytes(files.read(sbom))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
