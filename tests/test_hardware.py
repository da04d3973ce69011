"""Precision: what the processor's flags say, and what the user asked for."""

import pytest

from skbreast import hardware
from skbreast.hardware import PRECISIONS, has_bfloat16, resolve_precision


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(hardware, "CPU_INFO", path)
    has_bfloat16.cache_clear()
    yield path
    has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx512_bf16", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f avx512_vnni", False),
        ("fpu avx512_bf16_but_not_really", False),
        ("", False),
    ],
)
def test_flags_decide(cpu_info, flags, expected):
    cpu_info.write_text(f"processor\t: 0\nmodel name\t: amx_bf16\nflags\t\t: {flags}\n")
    assert has_bfloat16() is expected
    assert resolve_precision("auto") == ("bfloat16" if expected else "float32")


def test_without_flags_the_answer_is_no(cpu_info):
    assert not has_bfloat16()
    cpu_info.write_text("Features\t: fp asimd bf16\n")
    has_bfloat16.cache_clear()
    assert not has_bfloat16()


@pytest.mark.parametrize("asked", PRECISIONS[1:])
def test_who_asks_gets_it(cpu_info, asked):
    assert resolve_precision(asked) == asked


@pytest.mark.parametrize(
    ("found", "expected"), [("bfloat16", "bfloat16"), ("float32", "float32"), (None, "float32")]
)
def test_a_gpu_goes_first(cpu_info, tmp_path, monkeypatch, found, expected):
    monkeypatch.setattr(hardware, "GPU_DRIVERS", (tmp_path,))
    assert resolve_precision("auto", gpu=lambda: found) == expected
    assert resolve_precision("float32", gpu=pytest.fail) == "float32"
    monkeypatch.setattr(hardware, "GPU_DRIVERS", ())
    assert resolve_precision("auto", gpu=pytest.fail) == "float32"


@pytest.mark.parametrize("asked", ["float16", "mixed_bfloat16", None, 32])
def test_unknown_precision(asked):
    with pytest.raises(ValueError, match=r"precision must be one of 'auto', 'float32'"):
        resolve_precision(asked)
