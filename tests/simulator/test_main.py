"""The simulator as a process: which venue, which faults, and what it says when it may not run."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

COMMAND = (sys.executable, "-m", "simulator")


async def asked(*arguments: str, path: str) -> tuple[dict[str, Any], Any]:
    """The first line of a simulator, and one answer of it."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        ready = orjson.loads(await process.stdout.readline())
        url = f"http://127.0.0.1:{ready['port']}{path}"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return ready, await answer.json()
    finally:
        process.terminate()
        await process.wait()


async def test_the_venue_is_the_one_that_the_command_names() -> None:
    ready, answer = await asked("okx", path="/api/v5/public/time")
    assert ready["venue"] == "okx"
    assert answer["code"] == "0"


async def test_faults_may_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    faults, config = tmp_path / "bad-day.toml", tmp_path / "box.json"
    faults.write_text("probability = { silence = 0.5 }\nsilence_ms_max = 7\n")
    config.write_text('{"venue": "okx", "seed": 4, "faults": {"probability": {"drop": 1}}}')
    arguments = (str(config), "--faults", str(faults))
    ready, shown = await asked(*arguments, path="/control/faults")
    assert ready["seed"] == 4
    assert shown["config"]["probability"] == {"silence": 0.5}
    assert shown["config"]["silence_ms_max"] == 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("binance", "okx"), "one venue"),
        (("okx", "no-such.toml"), "no-such.toml"),
        (("okx", "BINANCE"), "for binance, not for okx"),
        (("BAD",), "nothing"),
        (("SYMBOL",), "51001"),
        (("CHANCE",), "faults.probability.drop = 7 in "),
        (("WORD",), "prot in "),
        (("WORD",), "WORD.json is no setting: did you mean port?"),
        (("BROKEN",), "BROKEN.json is not JSON: "),
        (("FACE",), "FACE.json is no setting: did you mean flush_s?"),
        (("OTHER",), "spot_weight in "),
        (("NOWHERE",), "venue = 'nowhere' in "),
        (("binance", "--port", "70000"), "port = 70000 in the arguments: input should be less"),
    ],
)
async def test_what_cannot_run_is_named_and_the_status_is_two(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    files = {
        "BINANCE": '{"venue": "binance"}',
        "SYMBOL": '{"venue":"okx","accounts":[{"name":"okx:a","api_key":"k","secret":"s",'
        '"symbols":{"spot":["BTCUSDT"]}}]}',
        "CHANCE": '{"faults": {"probability": {"drop": 7}}}',
        "WORD": '{"prot": 1}',
        "FACE": '{"venue": "okx", "face": {"flush_sec": 1}}',
        "OTHER": '{"venue": "okx", "face": {"spot_weight": 1}}',
        "NOWHERE": '{"venue": "nowhere"}',
        "BROKEN": '{"port": ',
        "BAD": '{"faults": {"probability": {"nothing": 1}}}',
    }
    given = []
    for argument in arguments:
        if argument in files:
            (tmp_path / f"{argument}.json").write_text(files[argument])
        given.append(str(tmp_path / f"{argument}.json") if argument in files else argument)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *given, stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    _, said = await process.communicate()
    assert words in said.decode()
    assert "pydantic" not in said.decode()
    assert process.returncode == 2


async def test_a_port_in_use_is_named_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "binance", "--port", port, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
    assert said.decode().startswith(f"simulator: port {port} on 127.0.0.1 is in use: stop what")
    assert said.count(b"\n") == 1
    assert process.returncode == 2
