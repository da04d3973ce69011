"""Downloads against a server on this machine that serves tiny archives of the published layouts."""

import contextlib
import gzip
import hashlib
import io
import re
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from skbreast.datasets._download import check_url, download
from skbreast.datasets._fetch import (
    PCAM_MD5,
    fetch_breakhis,
    fetch_idc,
    fetch_pcam,
    get_data_home,
)
from skbreast.datasets._unpack import gunzip, unpack

BIG = 10**9


class Site:
    """What the server serves, how it misbehaves, and what it was asked for and sent."""

    def __init__(self):
        self.files, self.requests, self.sent = {}, [], []
        self.ranges, self.etag, self.cut_at, self.redirect = True, None, [], None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.requests.append((self.path, self.headers.get("Range")))
        if site.redirect:
            self.send_response(302)
            self.send_header("Location", site.redirect)
            self.end_headers()
        elif self.path not in site.files:
            self.send_error(404)
        else:
            self.serve(site, site.files[self.path])

    def serve(self, site, body):
        start = self.first_byte(site)
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if site.etag:
            self.send_header("ETag", site.etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = site.cut_at.pop(0) if site.cut_at else len(body)
        site.sent.append(max(0, end - start))
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body[start:end])

    def first_byte(self, site):
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        same = self.headers.get("If-Range") in (None, site.etag)
        return int(asked[1]) if asked and site.ranges and same else 0

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.site = Site()
        server.site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


def png(value, size):
    stream = io.BytesIO()
    Image.fromarray(np.full((*size, 3), value, np.uint8)).save(stream, "png")
    return stream.getvalue()


def make_zip(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return stream.getvalue()


def make_tar(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return stream.getvalue()


def idc_members():
    return {
        f"{patient}/{label}/{patient}_idx5_x{x}_y51_class{label}.png": png(100 + label, (50, 50))
        for patient in ("8863", "9036")
        for label in (0, 1)
        for x in (1, 51, 101)
    }


IDC_ZIP = make_zip(idc_members())
NOISE = np.random.default_rng(0).bytes(300_000)
NOISE_MD5 = f"md5:{hashlib.md5(NOISE).hexdigest()}"


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


# --- the data sets ------------------------------------------------------------------------------


def test_fetch_idc_downloads_once_and_reads(site, tmp_path):
    site.files["/IDC_regular_ps50_idx5.zip"] = IDC_ZIP
    idc = fetch_idc(tmp_path, base_url=site.url, progress=False)
    assert len(idc.data) == 12
    assert sorted(set(idc.groups)) == ["8863", "9036"]
    assert idc.target.sum() == 6
    assert len(site.requests) == 1
    X, _ = fetch_idc(tmp_path, base_url=site.url, progress=False, return_X_y=True)
    assert X.tolist() == idc.data.tolist()
    assert len(site.requests) == 1, "the second call must not touch the network"
    assert leftovers(tmp_path) == ["IDC_regular_ps50_idx5", "IDC_regular_ps50_idx5.zip.sha256"]


def test_fetch_idc_with_the_nested_second_copy(site, tmp_path):
    members = idc_members()
    members |= {f"IDC_regular_ps50_idx5/{name}": body for name, body in members.items()}
    site.files["/IDC_regular_ps50_idx5.zip"] = make_zip(members)
    assert len(fetch_idc(tmp_path, base_url=site.url, progress=False).data) == 12


def test_fetch_breakhis(site, tmp_path):
    root = "BreaKHis_v1/histology_slides/breast"
    names = [
        "benign/SOB/adenosis/SOB_B_A_14-22549AB/100X/SOB_B_A-14-22549AB-100-001.png",
        "malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2523/100X/SOB_M_DC-14-2523-100-001.png",
    ]
    archive = make_tar({f"{root}/{name}": png(100, (460, 700)) for name in names})
    site.files["/BreaKHis_v1.tar.gz"] = archive
    breakhis = fetch_breakhis(tmp_path, base_url=site.url, progress=False, magnification=100)
    assert breakhis.target.tolist() == [0, 1]
    assert (tmp_path / root / names[0]).is_file()
    record = (tmp_path / "BreaKHis_v1.tar.gz.sha256").read_text()
    assert record == f"{hashlib.sha256(archive).hexdigest()}  BreaKHis_v1.tar.gz\n"


def test_fetch_pcam_fetches_one_part(site, tmp_path):
    h5py = pytest.importorskip("h5py", reason="PatchCamelyon is read with h5py")
    stem = "camelyonpatch_level_2_split_valid"
    arrays = {
        "x": np.arange(4 * 96 * 96 * 3, dtype=np.uint8).reshape(4, 96, 96, 3),
        "y": np.array([0, 1, 1, 0], np.uint8).reshape(4, 1, 1, 1),
    }
    for name, array in arrays.items():
        with h5py.File(tmp_path / "tiny.h5", "w") as file:
            file[name] = array
        body = gzip.compress((tmp_path / "tiny.h5").read_bytes())
        site.files[f"/{stem}_{name}.h5.gz"] = body
    (tmp_path / "tiny.h5").unlink()
    rows = "".join(f",{i},{i},True,True,camelyon16_train_tumor_00{i % 2}\n" for i in range(4))
    site.files[f"/{stem}_meta.csv"] = (
        ",coord_y,coord_x,tumor_patch,center_tumor_patch,wsi\n" + rows
    ).encode()
    sums = {name[1:]: f"md5:{hashlib.md5(body).hexdigest()}" for name, body in site.files.items()}
    options = {"base_url": site.url, "checksums": sums, "progress": False, "split": "valid"}
    pcam = fetch_pcam(tmp_path, **options)
    assert pcam.target.tolist() == [0, 1, 1, 0]
    assert len(set(pcam.groups)) == 2
    assert len(site.requests) == 3
    fetch_pcam(tmp_path, **options)
    assert len(site.requests) == 3
    assert leftovers(tmp_path / "pcam") == [f"{stem}_meta.csv", f"{stem}_x.h5", f"{stem}_y.h5"]


def test_pcam_with_other_bytes_than_published_is_refused(site, tmp_path):
    site.files = {f"/{name}": b"something else" for name in PCAM_MD5}
    with pytest.raises(ValueError, match="md5 checksum is"):
        fetch_pcam(tmp_path, base_url=site.url, progress=False)
    assert leftovers(tmp_path / "pcam") == []


def test_pcam_has_nine_checksums():
    assert len(set(PCAM_MD5.values())) == 9
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in PCAM_MD5.values())


def test_download_if_missing_false(site, tmp_path):
    with pytest.raises(FileNotFoundError, match="download_if_missing=False"):
        fetch_idc(tmp_path, base_url=site.url, download_if_missing=False)
    with pytest.raises(FileNotFoundError, match="download_if_missing=False"):
        fetch_pcam(tmp_path, base_url=site.url, download_if_missing=False)
    assert site.requests == []


def test_an_archive_brought_by_hand_is_used_and_kept(site, tmp_path):
    archive = tmp_path / "IDC_regular_ps50_idx5.zip"
    archive.write_bytes(IDC_ZIP)
    idc = fetch_idc(tmp_path, base_url=site.url, download_if_missing=False, progress=False)
    assert len(idc.data) == 12
    assert archive.exists()
    assert site.requests == []


def test_a_given_checksum_is_verified(site, tmp_path):
    site.files["/IDC_regular_ps50_idx5.zip"] = IDC_ZIP
    with pytest.raises(ValueError, match="sha256 checksum is"):
        fetch_idc(tmp_path, base_url=site.url, checksum="sha256:" + "0" * 64, progress=False)
    assert leftovers(tmp_path) == []


def test_first_use_is_remembered(site, tmp_path):
    site.files["/IDC_regular_ps50_idx5.zip"] = IDC_ZIP
    fetch_idc(tmp_path, base_url=site.url, progress=False)
    (tmp_path / "IDC_regular_ps50_idx5").rename(tmp_path / "away")
    site.files["/IDC_regular_ps50_idx5.zip"] = make_zip({**idc_members(), "more.txt": b""})
    with pytest.raises(ValueError, match="sha256 checksum is"):
        fetch_idc(tmp_path, base_url=site.url, progress=False)
    assert not (tmp_path / "IDC_regular_ps50_idx5").exists()


def test_truncated_archive_leaves_nothing(site, tmp_path):
    site.files["/IDC_regular_ps50_idx5.zip"] = IDC_ZIP[:-200]
    with pytest.raises(ValueError, match=r"IDC_regular_ps50_idx5\.zip"):
        fetch_idc(tmp_path, base_url=site.url, progress=False)
    assert leftovers(tmp_path) == []


def test_data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKBREAST_DATA", str(tmp_path / "from_env"))
    assert get_data_home() == tmp_path / "from_env"
    assert get_data_home(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("SKBREAST_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert get_data_home() == tmp_path / "skbreast_data"
    assert (tmp_path / "skbreast_data").is_dir()


# --- one download -------------------------------------------------------------------------------


def test_cut_off_download_asks_for_the_rest_only(site, tmp_path):
    site.files["/noise"], site.cut_at = NOISE, [120_000]
    path = download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert path.read_bytes() == NOISE
    assert site.requests == [("/noise", None), ("/noise", "bytes=120000-")]
    assert site.sent == [120_000, 180_000]
    assert leftovers(tmp_path) == ["noise"]


def test_a_later_call_goes_on(site, tmp_path):
    site.files["/noise"], site.cut_at = NOISE, [50_000, 60_000, 70_000, 80_000, 90_000]
    with pytest.raises(OSError, match=r"90,000 of 300,000 bytes came.*call again"):
        download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert leftovers(tmp_path) == ["noise.part"]
    download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert site.requests[-1] == ("/noise", "bytes=90000-")
    assert sum(site.sent) == len(NOISE)
    assert (tmp_path / "noise").read_bytes() == NOISE


def test_server_without_ranges_begins_again(site, tmp_path):
    site.files["/noise"], site.cut_at, site.ranges = NOISE, [120_000], False
    path = download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert path.read_bytes() == NOISE
    assert site.sent == [120_000, 300_000]


def test_changed_file_is_noticed_by_its_etag(site, tmp_path):
    site.files["/noise"], site.etag = NOISE, '"first"'
    site.cut_at = [50_000] * 5
    with pytest.raises(OSError, match="call again"):
        download(f"{site.url}/noise", tmp_path / "noise", progress=False)
    changed = NOISE[::-1]
    site.files["/noise"], site.etag, site.cut_at = changed, '"second"', []
    path = download(f"{site.url}/noise", tmp_path / "noise", progress=False)
    assert path.read_bytes() == changed
    assert leftovers(tmp_path) == ["noise"]


def test_changed_file_without_etag_is_noticed_by_its_checksum(site, tmp_path):
    (tmp_path / "noise.part").write_bytes(NOISE[:1000][::-1])
    site.files["/noise"] = NOISE
    with pytest.raises(ValueError, match=f"instead of {NOISE_MD5[4:]}"):
        download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert leftovers(tmp_path) == []


def test_nothing_is_resumed_that_cannot_be_verified(site, tmp_path):
    (tmp_path / "noise.part").write_bytes(b"from who knows where")
    site.files["/noise"] = NOISE
    path = download(f"{site.url}/noise", tmp_path / "noise", progress=False)
    assert path.read_bytes() == NOISE
    assert site.requests == [("/noise", None)]


@pytest.mark.parametrize("extra", [b"", b"too long"])
def test_complete_or_overlong_partial_file(site, tmp_path, extra):
    (tmp_path / "noise.part").write_bytes(NOISE + extra)
    site.files["/noise"] = NOISE
    path = download(f"{site.url}/noise", tmp_path / "noise", checksum=NOISE_MD5, progress=False)
    assert path.read_bytes() == NOISE
    assert len(site.sent) == bool(extra)


def test_not_found(site, tmp_path):
    with pytest.raises(OSError, match=r"/nothing: the server answered 404"):
        download(f"{site.url}/nothing", tmp_path / "x", progress=False)
    assert leftovers(tmp_path) == []


def test_no_server(site, tmp_path):
    with pytest.raises(OSError, match="cannot be reached"):
        download("http://127.0.0.1:9/x", tmp_path / "x", progress=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/x",
        "http://localhost@example.org/x",
        "https:///x",
        "x",
    ],
)
def test_unsafe_addresses(url, tmp_path):
    with pytest.raises(ValueError, match="must begin with https"):
        download(url, tmp_path / "x", progress=False)


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://localhost:80/x", "http://[::1]:80/x"]
)
def test_safe_addresses(url):
    check_url(url)


def test_redirection_to_an_unsafe_address(site, tmp_path):
    site.redirect = "http://example.org/x"
    with pytest.raises(ValueError, match="must begin with https"):
        download(f"{site.url}/x", tmp_path / "x", progress=False)


def test_unknown_checksum_algorithm(site, tmp_path):
    site.files["/noise"] = NOISE
    with pytest.raises(ValueError, match="must look like"):
        download(f"{site.url}/noise", tmp_path / "noise", checksum="crc99:00", progress=False)


def test_progress_bar_goes_to_stderr(site, tmp_path, capfd):
    site.files["/noise"] = NOISE
    download(f"{site.url}/noise", tmp_path / "noise")
    out, err = capfd.readouterr()
    assert out == ""
    assert "noise" in err


# --- unpacking ----------------------------------------------------------------------------------


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "archive",
    [
        make_tar({"a.txt": b"a", "../escaped.txt": b"x"}),
        make_tar({"a.txt": b"a", "/tmp/escaped.txt": b"x"}),
        make_tar({"a.txt": b"a", "b/../../escaped.txt": b"x"}),
        make_tar({link("b", "/tmp", tarfile.SYMTYPE): b"", "b/escaped.txt": b"x"}),
        make_tar({"a.txt": b"a", link("b", "../escaped.txt", tarfile.LNKTYPE): b""}),
        make_tar({link("null", "", tarfile.CHRTYPE): b""}),
        make_tar({link("pipe", "", tarfile.FIFOTYPE): b""}),
        make_zip({"a.txt": b"a", "../escaped.txt": b"x"}),
        make_zip({"a.txt": b"a", "/escaped.txt": b"x"}),
        make_zip({"a.txt": b"a", "..\\escaped.txt": b"x"}),
        make_zip({"a.txt": b"a", "C:/escaped.txt": b"x"}),
    ],
    ids=lambda _: "",  # bytes with the time in them are other names to the other process
)
def test_unsafe_members_are_refused(archive, tmp_path):
    (tmp_path / "archive").write_bytes(archive)
    with pytest.raises(ValueError, match="nothing was unpacked"):
        unpack(tmp_path / "archive", tmp_path / "in" / "folder", max_bytes=BIG, progress=False)
    assert leftovers(tmp_path) == ["archive", "in"]
    assert leftovers(tmp_path / "in") == []


def test_symbolic_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="is a link or a device"):
        unpack(tmp_path / "archive", tmp_path / "folder", max_bytes=BIG, progress=False)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_size_is_bounded(make, tmp_path):
    (tmp_path / "archive").write_bytes(make({"a": bytes(5_000_000), "b": bytes(5_000_000)}))
    unpack(tmp_path / "archive", tmp_path / "folder", max_bytes=10_000_000, progress=False)
    with pytest.raises(ValueError, match="more bytes than allowed"):
        unpack(tmp_path / "archive", tmp_path / "other", max_bytes=9_999_999, progress=False)
    assert leftovers(tmp_path) == ["archive", "folder"]


def test_size_of_a_gzip_file_is_bounded(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(ValueError, match="more bytes than allowed"):
        gunzip(tmp_path / "x.gz", tmp_path / "x", max_bytes=9_999_999, progress=False)
    assert leftovers(tmp_path) == ["x.gz"]


@pytest.mark.parametrize("keep", [0, 10, 100_000])
def test_truncated_tar(keep, tmp_path):
    (tmp_path / "archive").write_bytes(make_tar({"a": NOISE, "b": NOISE})[:keep])
    with pytest.raises(ValueError, match="damaged or incomplete"):
        unpack(tmp_path / "archive", tmp_path / "folder", max_bytes=BIG, progress=False)
    assert leftovers(tmp_path) == ["archive"]


def test_truncated_gzip_file(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(NOISE)[:-1])
    with pytest.raises(ValueError, match="damaged or incomplete"):
        gunzip(tmp_path / "x.gz", tmp_path / "x", max_bytes=BIG, progress=False)
    assert leftovers(tmp_path) == ["x.gz"]


def test_interrupted_unpacking_leaves_nothing(tmp_path):
    # What interrupts: the second member needs a folder where the first is a file.
    (tmp_path / "archive").write_bytes(make_tar({"a": b"a", "a/b": b"b"}))
    with pytest.raises(OSError, match="a"):
        unpack(tmp_path / "archive", tmp_path / "folder", max_bytes=BIG, progress=False)
    assert leftovers(tmp_path) == ["archive"]


def test_damaged_zip_member(tmp_path):
    archive = bytearray(make_zip({"a": NOISE}))
    archive[1000] ^= 255
    (tmp_path / "archive").write_bytes(archive)
    with pytest.raises(ValueError, match="damaged or incomplete"):
        unpack(tmp_path / "archive", tmp_path / "folder", max_bytes=BIG, progress=False)
    assert leftovers(tmp_path) == ["archive"]


def test_single_folder_of_the_same_name_is_the_folder(tmp_path):
    (tmp_path / "archive").write_bytes(make_tar({"data/a": b"a", "._data": b"finder"}))
    folder = unpack(tmp_path / "archive", tmp_path / "data", max_bytes=BIG, progress=False)
    assert leftovers(folder) == ["a"]
