"""The pytest plugin, in projects like those of its users."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

# Nothing that only this project's own tests need, and every warning is an error.
OPTIONS = ("-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error")


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project of a user's, in which markers have to be known."""
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\n")
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run its tests as users do, in a process of their own."""
    return project.runpytest_subprocess(*OPTIONS, *options, timeout=60)


def test_the_server_in_a_plain_test(project: pytest.Pytester) -> None:
    """The fixture is a server at an address, and each test has a fresh one."""
    project.makepyfile(
        """
        import asyncio
        from openai_realtime import RealtimeClient

        async def agent(url):
            async with RealtimeClient(url=url) as client:
                await client.create_response()
                return await client.wait_for_next_completed_item(timeout=10)

        def test_one(realtime_server):
            realtime_server.script({"otherwise": {"say": "Hello."}})
            item = asyncio.run(agent(realtime_server.url))
            assert item.formatted.transcript == "Hello."
            realtime_server.assert_received("response.create")

        def test_two(realtime_server):
            assert len(realtime_server.events) == 0
            realtime_server.assert_received("response.create", timeout_s=0)
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E*AssertionError: no response.create was received"])


def test_the_pair_in_a_plain_test(project: pytest.Pytester) -> None:
    """The fixture is a client and a server that need no plugin for coroutines."""
    project.makepyfile(
        """
        import asyncio

        def test_pair(realtime_pair):
            async def talk():
                async with realtime_pair as pair:
                    await pair.client.create_response()
                    await pair.settle()
                    pair.assert_received("response.create")
                    pair.assert_sent("response.done")
            asyncio.run(talk())
        """
    )
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("plugin", ["asyncio", "anyio"])
def test_the_fixtures_in_coroutines(project: pytest.Pytester, plugin: str) -> None:
    """Whoever runs coroutine functions, the fixtures work in them."""
    project.makeconftest(
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """
    )
    project.makepyfile(
        f"""
        import pytest
        from openai_realtime import RealtimeClient

        pytestmark = pytest.mark.{plugin}

        async def test_server(realtime_server):
            async with RealtimeClient(url=realtime_server.url) as client:
                await client.create_response()
                await realtime_server.wait_sent("response.done")

        async def test_pair(realtime_pair):
            async with realtime_pair as pair:
                await pair.client.create_response()
                await pair.wait_sent("response.done")
        """
    )
    options = (
        ("-W", "error", "-o", "asyncio_default_fixture_loop_scope=function")
        if plugin == "asyncio"
        else OPTIONS
    )
    result = project.runpytest_subprocess(*options, timeout=60)
    result.assert_outcomes(passed=2)


def test_settings_by_fixture_and_marker(project: pytest.Pytester) -> None:
    """What stands nearest to the test decides, setting by setting."""
    project.makepyfile(
        """
        import asyncio
        import pytest

        pytestmark = pytest.mark.realtime(max_session_s=20, vad="off")

        @pytest.fixture
        def realtime_settings():
            return {"max_session_s": 10, "script": ["From the fixture."]}

        async def lifetime_of(pair):
            async with pair:
                [created] = pair.events.sent("session.created")
                assert created.session.audio.input.turn_detection is None
                await pair.client.send_user_message_content(
                    [{"type": "input_text", "text": "Hi"}]
                )
                await pair.settle()
                pair.assert_sent(
                    "response.output_audio_transcript.done",
                    transcript="From the fixture.",
                )
                return created.session.expires_at - 1_767_225_600

        @pytest.mark.realtime(max_session_s=30)
        class TestIt:
            @pytest.mark.realtime(max_session_s=40)
            def test_one(self, realtime_pair):
                assert asyncio.run(lifetime_of(realtime_pair)) == 40

            def test_two(self, realtime_pair):
                assert asyncio.run(lifetime_of(realtime_pair)) == 30

            @pytest.mark.realtime(keys=["sesame"])
            def test_three(self, realtime_server):
                from openai_realtime import ConnectFailed, RealtimeAPI
                api = RealtimeAPI(url=realtime_server.url)
                with pytest.raises(ConnectFailed, match="401"):
                    asyncio.run(api.connect())
        """
    )
    run(project).assert_outcomes(passed=3)


def test_a_marker_without_names_is_explained(project: pytest.Pytester) -> None:
    """The usual mistake with a marker ends in a sentence, not in a traceback."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.realtime("off")
        def test_it(realtime_pair):
            pass
        """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker realtime takes settings by name*'off'*"])


def test_what_a_test_leaves_open_is_no_warning(project: pytest.Pytester) -> None:
    """A test that fails with a session open is the only failure there is."""
    project.makepyfile(
        """
        import asyncio
        from openai_realtime import RealtimeClient

        def test_server(realtime_server):
            async def break_off():
                async with RealtimeClient(url=realtime_server.url) as client:
                    await client.create_response()
                    assert False, "on purpose"
            asyncio.run(break_off())

        def test_pair(realtime_pair):
            async def break_off():
                async with realtime_pair as pair:
                    await pair.client.create_response()
                    assert False, "on purpose"
            asyncio.run(break_off())

        def test_nothing_is_left():
            import threading
            names = [thread.name for thread in threading.enumerate()]
            assert names == ["MainThread"], names
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.no_fnmatch_line("*warnings summary*")


def test_the_fixtures_are_listed(project: pytest.Pytester) -> None:
    """`pytest --fixtures` says what each of them is for."""
    project.makepyfile("def test_it(): pass")
    run(project, "--fixtures").stdout.fnmatch_lines(
        [
            "realtime_settings -- *",
            "    Settings of the Realtime servers of these tests*",
            "realtime_server -- *",
            "    A running Realtime server on a free port of 127.0.0.1*",
            "    *``.script(...)``*",
            "realtime_pair -- *",
            "    A Realtime client joined to a server in memory*",
        ]
    )
    run(project, "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.realtime(*settings)*"]
    )


def test_pytest_starts_with_the_plugin_alone() -> None:
    """Projects that have the package and do not use it pay for no server."""
    code = "import openai_realtime.testing.plugin, sys; print(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "openai_realtime.testing.plugin" in loaded
    ours = {name for name in loaded if name.startswith("openai_realtime.testing.")}
    assert ours == {"openai_realtime.testing.plugin"}
    assert not any(name.startswith("openai_realtime.emulator") for name in loaded)
    heavy = {"numpy", "picows", "starlette", "uvicorn", "websockets"}
    assert loaded.isdisjoint(heavy)
