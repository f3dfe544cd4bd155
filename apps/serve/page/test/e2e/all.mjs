// All screens in the browser: npm run e2e [NAME...]. PAGE_SHOTS=DIR leaves pictures there, in both themes, wide and narrow. The service is the mock;
// with PAGE_PROGRAM, the path of a tidemill that has the page, it is that one, on data that it made itself.
import { closeBrowser } from "./harness.mjs";

const FORMS = process.env.PAGE_SHOTS
  ? [{ theme: "light", width: 1360, height: 900 }, { theme: "dark", width: 1360, height: 900 }, { theme: "light", width: 390, height: 844 }]
  : [{ theme: "light", width: 1360, height: 900 }, { theme: "dark", width: 390, height: 844 }];
const wanted = process.argv.slice(2);
let failed = 0, ran = 0;
for (const screen of process.env.PAGE_PROGRAM ? ["real"] : ["impedance", "forecast", "runs", "machine"]) {
  const { tests } = await import(`./${screen}.mjs`);
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length && !wanted.some((w) => `${screen}: ${name}`.includes(w))) continue;
    for (const form of FORMS) {
      const title = `${screen}: ${name} (${form.theme}, ${form.width})`;
      try {
        ran++;
        await test(form);
        console.log(`ok  ${title}`);
      } catch (reason) {
        failed++;
        console.log(`NOT ${title}\n${reason.stack}`);
      }
    }
  }
}
await closeBrowser();
console.log(`${ran - failed} of ${ran} passed`);
process.exit(failed || !ran ? 1 : 0);
