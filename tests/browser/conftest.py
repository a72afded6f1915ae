"""A real browser: Debian's Chromium, driven by Playwright."""

import shutil

import pytest


# Playwright keeps a running loop in its thread while it is open: a browser that outlived
# its module would fail every other test of the process that starts a loop.
@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium: make test installs it where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Open a file, and return the page; it asks for nothing else and says nothing wrong."""
    asked, wrong, pages = [], [], []

    def open_page(path, **options):
        page = browser.new_page(**options)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not wrong
    assert all(url.startswith("file:") for url in asked)
    assert len(asked) == len(pages)
