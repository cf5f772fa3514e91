// Drives the console of a running aggregator in a real browser and says the first thing that is
// not as it should be. It needs Chromium, at least one simulated board that is online, and a BMC
// whose machine is on and may be switched off.
//
//   FLYBALL_URL=http://127.0.0.1:8766 FLYBALL_EMAIL=… FLYBALL_PASSWORD=… node e2e/console.mjs
//
// FLYBALL_CHROMIUM names another browser, FLYBALL_SCREENSHOTS a folder for a picture of each step.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const STEP_MS = 20_000;
/** Blocks are sealed every ten seconds; a board that has just started needs two of them. */
const FIRST_READINGS_MS = 45_000;
const FAULTY = "digraph g {\n  a -> b\n  c -> [\n}\n";

const url = demand("FLYBALL_URL").replace(/\/$/, "");
const email = demand("FLYBALL_EMAIL");
const password = demand("FLYBALL_PASSWORD");
const pictures = process.env.FLYBALL_SCREENSHOTS;

function demand(name) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set; see the head of this script`);
  process.exit(2);
}

function plain(text) {
  return text.replace(/\u001b\[\d+m/g, "");
}

/** What must never happen on any page. */
function listen(page, faults) {
  page.on("pageerror", (error) => faults.push(`the page threw: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:" && host !== new URL(url).host) faults.push(`the page asked another host: ${request.url()}`);
  });
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(`the page broke its policy: ${message.text()}`);
  });
}

/** Waits for what has to come, and names the refusal that came in its place. */
async function unlessRefused(wanted, region) {
  const refusal = region.locator('[data-verdict="bad"]');
  await wanted.or(refusal).first().waitFor();
  if (!(await wanted.isVisible())) throw new Error(`it was refused: ${(await refusal.first().innerText()).trim()}`);
}

const steps = [
  ["refuses a wrong password and says so", async (page) => {
    await page.goto(`${url}/`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(`${password}-not`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: /wrong/i }).waitFor();
  }],
  ["signs in, by the keyboard alone", async (page) => {
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Devices", level: 1 }).waitFor();
  }],
  ["holds a live stream", async (page) => {
    await page.locator('[data-link="open"]').waitFor();
  }],
  ["lists a simulated board that is online", async (page) => {
    await page.locator('tr[data-kind="simulated"]').filter({ hasText: "online" }).first().waitFor({ timeout: FIRST_READINGS_MS });
  }],
  ["stays signed in over a reload", async (page) => {
    await page.reload();
    await page.locator('tr[data-kind="simulated"]').first().waitFor();
  }],
  ["draws temperature, power and CPU of the board", async (page) => {
    await page.locator('tr[data-kind="simulated"]').filter({ hasText: "online" }).first().getByRole("link").click();
    for (const panel of ["temperature", "power", "cpu"]) {
      await page.waitForFunction((id) => Number(document.querySelector(`[data-panel="${id}"]`)?.dataset.points ?? 0) >= 5, panel, { timeout: FIRST_READINGS_MS });
      await page.locator(`[data-panel="${panel}"] canvas`).waitFor();
    }
  }],
  ["draws on as readings come, without a reload", async (page) => {
    const before = await page.locator('[data-panel="cpu"]').getAttribute("data-points");
    await page.waitForFunction((old) => Number(document.querySelector('[data-panel="cpu"]')?.dataset.points) > Number(old), before, { timeout: FIRST_READINGS_MS });
  }],
  ["shows the limits with their states", async (page) => {
    await page.locator('tr[data-limit][data-state]:not([data-state="unknown"])').first().waitFor();
  }],
  ["shows why a cap above the limit is refused", async (page) => {
    const form = page.locator('[data-command="power-cap"]');
    await form.getByLabel("Power cap").fill("100000");
    await form.getByRole("button", { name: "Set" }).click();
    const refusal = form.locator('[data-verdict="bad"]');
    await refusal.waitFor();
    for (const word of ["Refused", "Limit", "Clears when"]) {
      const text = await refusal.innerText();
      if (!text.includes(word)) throw new Error(`the refusal does not say “${word}”: ${text}`);
    }
  }],
  ["takes a fan floor, as it was asked or clamped", async (page) => {
    const form = page.locator('[data-command="fan-floor"]');
    await form.getByLabel("Fan floor").fill("55");
    await form.getByRole("button", { name: "Set" }).click();
    await form.locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
    await form.getByRole("button", { name: "Clear" }).click();
    await form.locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
  }],
  ["draws each limit's layers with what is in force", async (page) => {
    const bar = page.locator("tr[data-limit] li[data-layer]").first();
    await bar.waitFor();
    const told = await bar.getByRole("img").getAttribute("aria-label");
    if (!/^(factory|local|fleet): .*\d/.test(told ?? "")) throw new Error(`a layer does not say its values: ${told}`);
  }],
  ["locks the machine out and lifts the lock", async (page) => {
    const safety = page.getByRole("region", { name: "Safety" });
    const form = safety.locator('[data-command="lock"]');
    await form.getByLabel("Name").fill("console trial");
    await form.getByLabel("Reason").fill("the fans are being changed");
    await form.getByRole("button", { name: "Lock out" }).click();
    const lock = safety.locator('[data-lock="console trial"]');
    await unlessRefused(lock, safety);
    if (!(await lock.innerText()).includes(email)) throw new Error("the lock does not name its owner");
    await lock.getByRole("button", { name: "Lift" }).click();
    await lock.waitFor({ state: "detached" });
  }],
  ["shows what is meant before anything is switched off", async (page) => {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Devices" }).click();
    await page.locator('tr[data-kind="bmc"]').first().getByRole("link").click();
    await page.locator('[data-switch][data-state="On"]').waitFor({ timeout: FIRST_READINGS_MS });
    await page.locator('[data-switch] [data-verb="ForceOff"]').click();
    const dialog = page.locator("dialog[data-confirm]");
    await unlessRefused(dialog, page.getByRole("region", { name: "Safety" }));
    for (const fact of ["target", "state", "consequence"]) {
      const text = await dialog.locator(`[data-fact="${fact}"]`).innerText();
      if (text.trim() === "") throw new Error(`the dialog does not say the ${fact}`);
    }
    await dialog.getByRole("button", { name: "Leave it" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator('[data-switch][data-state="On"]').waitFor();
  }],
  ["switches off what was looked at and confirmed", async (page) => {
    await page.locator("[data-armed]").getByRole("button", { name: "Look at it" }).click();
    const dialog = page.locator("dialog[data-confirm]");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: /^Yes: / }).click();
    await unlessRefused(page.locator('[data-switch][data-state="Off"]'), page.getByRole("region", { name: "Safety" }));
  }],
  ["has told the refusal as an event", async (page) => {
    await page.getByRole("link", { name: "Events" }).click();
    await page.locator("main li[data-severity]").first().waitFor({ timeout: FIRST_READINGS_MS });
  }],
  ["renders a DOT source", async (page) => {
    await page.getByRole("link", { name: "Diagram" }).click();
    await page.getByLabel("DOT source").fill("digraph g {\n  alpha -> beta\n}\n");
    await page.getByRole("button", { name: "Render" }).click();
    const picture = page.getByAltText("The diagram that the source describes");
    await picture.waitFor({ timeout: FIRST_READINGS_MS });
    await picture.evaluate((image) => image.decode());
    if ((await picture.evaluate((image) => image.naturalWidth)) < 20) throw new Error("the picture has no size");
  }],
  ["names the line of a fault in a DOT source", async (page) => {
    await page.getByLabel("DOT source").fill(FAULTY);
    await page.getByRole("button", { name: "Validate" }).click();
    await page.locator('[data-line="3"], [data-line="4"]').first().waitFor();
    await page.getByRole("button", { name: "Render" }).click();
    await page.locator("[data-diagram-problem]").waitFor();
    await page.locator('[data-line="3"], [data-line="4"]').first().waitFor();
  }],
  ["stops using a plugin and uses it again", async (page) => {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Plugins" }).click();
    const row = page.locator('tr[data-plugin="graphviz"]');
    await row.getByText("ready").waitFor();
    await row.getByRole("button", { name: "Stop using" }).click();
    await page.locator('tr[data-plugin="graphviz"][data-enabled="false"]').waitFor();
    await row.getByRole("button", { name: "Use", exact: true }).click();
    await page.locator('tr[data-plugin="graphviz"][data-enabled="true"]').waitFor();
  }],
  ["names what is wrong with a component that nobody signed", async (page) => {
    const form = page.getByRole("region", { name: "Install" });
    await form.getByLabel("Component").setInputFiles({ name: "x.wasm", mimeType: "application/wasm", buffer: Buffer.from("<html>") });
    await form.getByLabel("Its signature").setInputFiles({ name: "x.wasm.minisig", mimeType: "text/plain", buffer: Buffer.from("hello") });
    await form.getByRole("button", { name: "Install" }).click();
    await page.locator("[data-plugins-problem]").filter({ hasText: /not WebAssembly/ }).waitFor();
  }],
  ["signs out", async (page) => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
  }],
];

const profile = mkdtempSync(join(tmpdir(), "flyball-console-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.FLYBALL_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  viewport: { width: 1440, height: 960 },
});
context.setDefaultTimeout(STEP_MS);
let failed = 0;
try {
  const page = await context.newPage();
  const faults = [];
  listen(page, faults);
  for (const [index, [name, run]] of steps.entries()) {
    try {
      await run(page);
      if (faults.length > 0) throw new Error(faults.splice(0).join("\n"));
      console.log(`ok   the console ${name}`);
    } catch (error) {
      failed += 1;
      console.error(`FAIL the console ${name}\n     ${plain(error.message).split("\n").slice(0, 6).join("\n     ")}`);
      console.error(`     it shows: ${(await page.locator("body").innerText()).replace(/\s+/g, " ").slice(0, 400)}`);
      // Each step stands on the one before it.
      break;
    } finally {
      if (pictures) await page.screenshot({ path: join(pictures, `${String(index).padStart(2, "0")}.png`), fullPage: true });
    }
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
