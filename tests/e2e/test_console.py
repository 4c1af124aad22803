"""The console in a real browser: the playground alone, and the pages of a bot at work."""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.e2e.stage import BOT_TOKEN, configuration, running, touchline
from tests.e2e.story import CHAT, RULES, STANDING, shown, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.waiting import DEADLINE, add_witness, until

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

pytest.importorskip("nicegui", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),  # the browser's
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
    # Playwright leaves the pipes of its own driver to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PASSWORD = "a-long-password"

PAGE_DEADLINE = 5 * DEADLINE
"""Seconds after which a wait for a page counts as a hang. For one step the browser, the console and a process that replays seven
matches compute one after the other: beside the other tests and busy loops that has taken more than a minute."""

CHANGED = """\
rules:
  - name: reds alone
    match: {action_type: Red Card}
    alert: {kind: red_card, text: "Red {{ player }} {{ minute }}'"}
"""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Chromium, until it is not needed any more."""
    async with playwright.async_playwright() as starter:
        # Debian's Chromium does not start its sandbox for root, as in a container.
        browser = await starter.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of a worker: to start it takes as long as a test of it."""
    async with launched() as browser:
        yield browser
    # What the driver left is collected here, where its warnings are expected, and not in whichever test comes next.
    gc.collect()


class SeenPage:
    """What a page said in its console, and showed at last, for the report of a test that fails."""

    has_died, is_over = False, False

    def __init__(self, page: Page) -> None:
        self._page, self._lines, self._shown = page, deque[str](maxlen=20), ""
        page.on("console", lambda message: self._lines.append(message.text))
        add_witness(self)

    async def read(self) -> None:
        """Remember what is shown now."""
        self._shown = await self._page.locator("body").inner_text()

    def report(self) -> str:
        """Return what the page has said and shown."""
        return "\n".join([f"The page {self._page.url} said:", *self._lines, "and showed:", self._shown])


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[Page]:
    """A page that shares no cookie with another test's; an error of a script on it fails the test."""
    errors: list[str] = []
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(PAGE_DEADLINE * 1000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    seen = SeenPage(page)
    try:
        yield page
    except BaseException:
        await seen.read()
        raise
    finally:
        seen.is_over = True
        await context.close()
    assert errors == []


async def press_until(page: Page, key: str, shown: Locator) -> None:
    """Press a key again and again until the page shows something: how far one press goes depends on what has arrived."""
    async with asyncio.timeout(PAGE_DEADLINE):
        while not await shown.is_visible():
            await page.keyboard.press(key)
            await page.wait_for_timeout(50)


async def write_rules(page: Page, text: str) -> None:
    """Put a text into the editor."""
    await page.locator(".cm-content").first.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)


async def test_the_final_is_played_to_its_shootout_in_a_language_and_a_link_shows_the_same(
    tmp_path: Path, browser: Browser
) -> None:
    process = await touchline("console", "--port", "0", folder=tmp_path)
    line = await process.says("The console is at")
    address = re.findall(r"http://\S+", line)[0]
    async with opened(browser) as page:
        await page.goto(address)
        await page.locator(".bubble").first.wait_for()
        await page.get_by_label("Match", exact=True).click()
        await page.get_by_role("option", name="final").click()
        await page.get_by_text("Argentina v France 3–3 (4–2 pens) · FT").wait_for()
        await page.get_by_label("Language").click()
        await page.get_by_role("option", name="Deutsch").click()
        await page.locator(".bubble", has_text="Argentinien").first.wait_for()
        at_the_end = await page.locator(".bubble").count()
        # To the beginning by the keyboard, as somebody without a mouse does.
        await page.locator(".q-slider [tabindex]").focus()
        await press_until(page, "PageDown", page.get_by_text("Nothing has been sent yet."))
        link = await page.get_by_role("link", name="Link to exactly this").get_attribute("href")
        await page.goto(address + str(link).lstrip("/"))
        await page.get_by_text("Nothing has been sent yet.").wait_for()
        await page.locator(".q-slider [tabindex]").focus()
        await press_until(page, "PageUp", page.get_by_text("3–3 (4–2 pens) · FT"))
        again = await page.locator(".bubble").count()
    code = await process.end()

    assert again == at_the_end > 10
    assert code == 0
    assert "Traceback" not in process.output


async def test_a_mistake_is_read_at_its_line_and_a_change_is_seen_on_matches(tmp_path: Path, browser: Browser) -> None:
    process = await touchline("console", "--port", "0", folder=tmp_path)
    address = re.findall(r"http://\S+", await process.says("The console is at"))[0]
    async with opened(browser) as page:
        await page.goto(f"{address}rules")
        await page.get_by_text("1 of 1 tests passed").wait_for()
        await write_rules(page, "ru")
        # Offered by the schema, taken by the keyboard, with the cursor behind it for what comes next.
        await page.get_by_role("button", name="rules:", exact=True).wait_for()
        await page.keyboard.press("Control+Enter")
        await page.get_by_role("button", name="rules:", exact=True).wait_for(state="detached")
        await page.keyboard.insert_text("[]")
        await page.locator(".cm-line", has_text=re.compile(r"^rules: \[\]$")).wait_for()
        await write_rules(page, CHANGED.replace("Red Card", "Rde Card"))
        await page.get_by_text(re.compile("❌ line 3, column .*Red Card")).wait_for()
        await write_rules(page, CHANGED)
        await page.get_by_text("✅ No mistakes").wait_for()
        await page.get_by_role("button", name="What would change?").click()
        await page.get_by_role("button", name=re.compile(r"[1-9]\d* dropped")).click()
        await page.get_by_text("Argentina v France").first.wait_for()
    await process.end()

    assert "Traceback" not in process.output


async def test_who_knows_the_password_sees_the_bot_at_work_and_changes_its_rules(tmp_path: Path, browser: Browser) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        console = f"http: {{listen: null, console: {{listen: '127.0.0.1:0', password: {PASSWORD}}}}}"
        config.write_text(config.read_text().replace("http: {listen: null}", console))
        async with running(config) as bot, opened(browser) as page:
            port = re.findall(r'"port": (\d+)', await bot.says("console_served"))[0]
            address = f"http://127.0.0.1:{port}/"
            await feed.until_connected()
            await feed.send_next(7)
            await until(lambda: STANDING[0] in shown(telegram)[0])

            await page.goto(f"{address}chats")
            assert page.url == f"{address}login"
            await page.get_by_label("Password").fill("guess")
            await page.get_by_role("button", name="Log in").click()
            await page.get_by_text("Wrong password.").wait_for()
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Log in").click()

            await page.locator("[data-ready]").wait_for()
            await page.get_by_role("cell", name="2–0").first.wait_for()
            await page.get_by_role("link", name="Matches").click()
            await page.get_by_role("link", name=" v ").click()
            packet = page.get_by_text("The packet as it came").first
            async with asyncio.timeout(PAGE_DEADLINE):
                # It is stored after the alert, so that no alert waits for it.
                while not await packet.is_visible():
                    await page.reload()
                    await page.get_by_role("button", name=re.compile("Goal Saka 10'")).click()
                    await page.get_by_text(re.compile(r"in the chat after \d")).first.wait_for()
            await packet.click()
            await page.get_by_text('"fixtureActionType"').wait_for()
            await page.get_by_role("link", name="Alerts").click()
            await page.get_by_label("Team, player").fill("rice")
            await page.get_by_text("1 alert", exact=True).wait_for()
            assert await page.get_by_text("Goal Saka 10'").count() == 0
            await page.get_by_role("link", name="Chats").click()
            await page.get_by_text(f"Chat {CHAT}").click()
            before = len(telegram.chat(CHAT).messages)
            await page.get_by_role("button", name="Send a test").click()
            await page.get_by_text("A test is on its way.").wait_for()
            await until(lambda: len(telegram.chat(CHAT).messages) > before)

            await page.get_by_role("link", name="Rules").click()
            await write_rules(page, CHANGED)
            await page.get_by_text("✅ No mistakes").wait_for()
            assert await page.get_by_role("button", name="Apply").is_disabled()
            await page.get_by_role("button", name="What would change?").click()
            await page.get_by_text("dropped", exact=False).first.wait_for()
            await page.get_by_role("button", name="Apply").click()
            await page.get_by_text(re.compile("sent: rules.yaml, by console")).wait_for()
            await page.get_by_role("button", name="Roll back").click()
            await page.get_by_text(re.compile("rolled back: config.yaml, by console")).wait_for()
            await page.get_by_role("button", name="Log out").click()
            await page.get_by_label("Password").wait_for()
            await page.goto(f"{address}rules")
            assert page.url == f"{address}login"

    assert "Traceback" not in bot.output
    assert PASSWORD not in bot.output
