"""G.711: the codes themselves, and streams of them at 8 kHz."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime.audio.g711 import A_LAW, MU_LAW, G711Decoder, G711Encoder, G711Law
from openai_realtime.audio.pcm import rms, silence, to_pcm16, to_samples
from openai_realtime.errors import AudioError

LAWS = {"mu-law": MU_LAW, "A-law": A_LAW}
CODES = bytes(range(256))
EVERY_SAMPLE = range(-32_768, 32_768)

each_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


def sine(hz: float, rate: int, seconds: float = 0.5, amplitude: int = 16_000) -> bytes:
    """Make a sine."""
    step = math.tau * hz / rate
    count = round(rate * seconds)
    return to_pcm16(
        array("h", [round(amplitude * math.sin(step * n)) for n in range(count)])
    )


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        (MU_LAW, 0xFF, 0),
        (MU_LAW, 0x7F, 0),
        (MU_LAW, 0xFE, 8),
        (MU_LAW, 0x7E, -8),
        (MU_LAW, 0xF0, 120),
        (MU_LAW, 0xEF, 132),
        (MU_LAW, 0x80, 32_124),
        (MU_LAW, 0x00, -32_124),
        (A_LAW, 0xD5, 8),
        (A_LAW, 0x55, -8),
        (A_LAW, 0xD4, 24),
        (A_LAW, 0xFF, 848),
        (A_LAW, 0x80, 5_504),
        (A_LAW, 0xAA, 32_256),
        (A_LAW, 0x2A, -32_256),
    ],
)
def test_codes_mean_what_the_standard_says(
    law: G711Law, code: int, sample: int
) -> None:
    """Protects calls with the rest of the world: silence, the loudest, some between."""
    assert list(to_samples(law.decode(bytes([code])))) == [sample]


@each_law
def test_every_code_comes_back(law: G711Law) -> None:
    """Protects what is passed on: decoding and encoding again changes nothing."""
    again = law.encode(law.decode(CODES))
    # Mu-law has two zeros, of which one is enough.
    expected = CODES.replace(b"\x7f", b"\xff") if law is MU_LAW else CODES
    assert again == expected


@each_law
def test_every_sample_is_kept_as_well_as_it_can_be(law: G711Law) -> None:
    """Protects quality: the error is a few percent at most, and order is kept."""
    pcm = to_pcm16(array("h", EVERY_SAMPLE))
    heard = list(to_samples(law.decode(law.encode(pcm))))
    assert all(a <= b for a, b in pairwise(heard))
    for sample, back in zip(EVERY_SAMPLE, heard, strict=True):
        assert abs(back - sample) <= abs(sample) / 31 + 16 or abs(sample) > 32_200
    # The loudest are clipped, and not wrapped.
    assert (heard[0] < -32_000, heard[-1] > 32_000) == (True, True)


@each_law
def test_both_sides_of_zero_are_alike(law: G711Law) -> None:
    """Protects from an offset: a sample and its complement have codes of one size."""
    above = law.encode(to_pcm16(array("h", range(32_768))))
    below = law.encode(to_pcm16(array("h", range(-1, -32_769, -1))))
    assert bytes(code ^ 0x80 for code in below) == above


@each_law
def test_a_stream_is_as_long_as_what_it_carries(law: G711Law) -> None:
    """Protects durations: three samples to a byte, and no more than 1 ms of delay."""
    assert len(G711Encoder(law).push(silence(2_400))) == 800
    assert len(G711Decoder(law).push(bytes(800))) == 2 * 2_400
    click = silence(240) + to_pcm16(array("h", [20_000] * 3)) + silence(957)
    heard = to_samples(G711Decoder(law).push(G711Encoder(law).push(click)))
    loudest = max(range(len(heard)), key=lambda index: abs(heard[index]))
    assert 240 <= loudest <= 240 + 2 * 24 + 3


@each_law
@pytest.mark.parametrize("hz", [300, 1_000, 2_500])
def test_speech_gets_through(law: G711Law, hz: int) -> None:
    """Protects the band of telephones, there and back."""
    tone = sine(hz, 24_000)
    back = G711Decoder(law).push(G711Encoder(law).push(tone))
    assert rms(back[480:]) == pytest.approx(rms(tone), rel=0.04)


@each_law
def test_what_telephones_cannot_carry_is_filtered_out(law: G711Law) -> None:
    """Protects from aliases: a high tone would come back as a lower one."""
    tone = sine(6_500, 24_000)
    data = G711Encoder(law).push(tone)
    assert rms(law.decode(data)[160:]) < rms(tone) / 50


@each_law
def test_no_image_is_heard_above_the_band(law: G711Law) -> None:
    """Protects from the mirror of a tone, which cheap upsampling leaves at 7 kHz."""
    pcm = G711Decoder(law).push(law.encode(sine(1_000, 8_000)))
    got = to_samples(pcm[480:])
    want = to_samples(sine(1_000, 24_000))
    # The same sine, shifted by the delay of the filter; its period is 24 samples.
    errors = [
        max(abs(got[n] - want[n + shift]) for n in range(2_000)) for shift in range(24)
    ]
    assert min(errors) < 900


@each_law
@given(sizes=st.lists(st.integers(0, 60), max_size=60))
def test_cuts_make_no_difference(law: G711Law, sizes: list[int]) -> None:
    """Protects streaming: single samples give the same bytes as all at once."""
    pcm = sine(700, 24_000, 0.02)
    data = MU_LAW.encode(sine(700, 8_000, 0.02))
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    coded, heard, at = b"", b"", 0
    for size in [*sizes, len(pcm)]:
        coded += encoder.push(pcm[2 * at : 2 * (at + size)])
        heard += decoder.push(data[at : at + size])
        at += size
    assert coded == G711Encoder(law).push(pcm)
    assert heard == G711Decoder(law).push(data)


@each_law
def test_half_a_sample_is_refused(law: G711Law) -> None:
    """Protects from noise: one byte off, all of it would be noise."""
    with pytest.raises(AudioError, match="3 bytes"):
        law.encode(b"abc")
    with pytest.raises(AudioError, match="3 bytes"):
        G711Encoder(law).push(b"abc")


def test_the_loudest_does_not_wrap() -> None:
    """Protects from clicks: the filter overshoots at full scale, and is clipped."""
    step = to_pcm16(array("h", [-32_768] * 300 + [32_767] * 300))
    for law in LAWS.values():
        back = to_samples(G711Decoder(law).push(G711Encoder(law).push(step)))
        assert max(back[60:280]) < -25_000
        assert min(back[360:580]) > 25_000
