"""How log files are rotated: renamed along, copied and truncated, compressed."""
import bz2
import gzip
import os
import shutil
import subprocess
import zipfile


def shift(scene, ending="", keep=500):
    """app.log.1 -> app.log.2 and so on, the oldest first; the newest is then free."""
    numbers = sorted((int(name.split(".")[2]) for name in os.listdir(scene.folder)
                      if name.startswith("app.log.") and name.endswith(ending)
                      and name.split(".")[2].isdigit()), reverse=True)
    for number in numbers:
        if number < keep:
            os.rename(scene.path(f"app.log.{number}{ending}"),
                      scene.path(f"app.log.{number + 1}{ending}"))


def rotate_rename(scene):
    scene.writer.close()
    shift(scene)
    os.rename(scene.writer.path, scene.path("app.log.1"))
    scene.writer.open()


def rotate_copy(scene):
    shift(scene)
    shutil.copy2(scene.writer.path, scene.path("app.log.1"))
    os.ftruncate(scene.writer.file, 0)
    scene.writer.begin()


def compress(path, ending):
    """As the packer of that ending leaves it; the original goes when the archive is whole."""
    packed, stat = path + ending, os.stat(path)
    if ending == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
            out.write(path, os.path.basename(path))
    elif ending == ".zst":
        subprocess.run(["zstd", "-q", "-1", path, "-o", packed], check=True)
    else:
        opener = gzip.open if ending == ".gz" else bz2.open
        with open(path, "rb") as plain_file, opener(packed, "wb", 1) as out:
            shutil.copyfileobj(plain_file, out)
    if ending != ".zip":
        os.utime(packed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.unlink(path)
