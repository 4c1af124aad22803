"""Makes the pictures of docs/console.md from the real program: `python -m docs.make_console_pictures`.

It needs Chromium and a font with colour emoji.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from playwright.async_api import Browser, ViewportSize

from tests.e2e.stage import BOT_TOKEN, configuration, running, touchline
from tests.e2e.story import CHAT, RULES, stepped
from tests.e2e.test_console import PASSWORD, launched, opened
from tests.fakes.bot_api import FakeBotApi

FOLDER = Path(__file__).with_name("pictures") / "console"

SIZE, PHONE = ViewportSize(width=1200, height=800), ViewportSize(width=375, height=740)


async def make_playground(folder: Path, browser: Browser) -> None:
    """The playground and the rules, with nothing else running."""
    process = await touchline("console", "--port", "0", folder=folder)
    address = re.findall(r"http://\S+", await process.says("The console is at"))[0]
    async with opened(browser) as page:
        await page.set_viewport_size(SIZE)
        await page.goto(address)
        await page.locator(".bubble").first.wait_for()
        await page.screenshot(path=FOLDER / "playground.png")
        await page.goto(f"{address}rules")
        await page.get_by_role("button", name="What would change?").click()
        await page.get_by_role("button", name=re.compile(r"\d reworded")).wait_for()
        await page.screenshot(path=FOLDER / "rules.png")
        await page.locator(".cm-content").first.click()
        await page.keyboard.press("Control+End")
        await page.keyboard.insert_text("  - name: reds\n    match: {action_type: Red")
        await page.get_by_role("button", name="Red Card", exact=True).wait_for()
        await page.get_by_text(re.compile("❌ line 12")).wait_for()
        await page.screenshot(path=FOLDER / "editor.png", clip={"x": 0, "y": 72, "width": 620, "height": 590})
    await process.end()


async def make_live(folder: Path, browser: Browser) -> None:
    """The pages of a bot in the middle of a match."""
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(folder, feed.urls.stream, feed.urls.api, telegram, RULES)
        console = f"http: {{listen: null, console: {{listen: '127.0.0.1:0', password: {PASSWORD}}}}}"
        config.write_text(config.read_text().replace("http: {listen: null}", console))
        async with running(config) as bot, opened(browser) as page:
            await page.set_viewport_size(SIZE)
            port = re.findall(r'"port": (\d+)', await bot.says("console_served"))[0]
            await feed.until_connected()
            await feed.send_next(7)
            await page.goto(f"http://127.0.0.1:{port}/")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Log in").click()
            await page.get_by_role("cell", name="2–0").wait_for()
            await asyncio.sleep(25)  # two points of the chart
            await page.screenshot(path=FOLDER / "now.png")
            await page.get_by_role("link", name="Matches").click()
            await page.get_by_role("link", name=" v ").click()
            await page.get_by_role("button", name=re.compile("Goal Saka 10'")).click()
            await page.get_by_text(re.compile(r"in the chat after \d")).wait_for()
            await asyncio.sleep(1)  # the row opens slowly
            await page.screenshot(path=FOLDER / "match.png")
            await page.emulate_media(color_scheme="dark")
            await page.set_viewport_size(PHONE)
            await asyncio.sleep(1)
            await page.screenshot(path=FOLDER / "phone.png")
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size(SIZE)
            await page.goto(f"http://127.0.0.1:{port}/alerts?chat={CHAT}&words=goal")
            await page.get_by_text("2 alerts").wait_for()
            await page.screenshot(path=FOLDER / "alerts.png")


async def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with launched() as browser:
            await make_playground(Path(folder), browser)
            await make_live(Path(folder), browser)


if __name__ == "__main__":
    asyncio.run(main())
