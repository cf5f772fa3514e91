import { mount } from "svelte";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { returned } from "./api/providers";
import App from "./App.svelte";
import { session } from "./state/app.svelte";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
const back = returned(location.hash);
// A code is no place, and not to be found in the history.
if (back !== null) history.replaceState(null, "", location.pathname);
mount(App, { target });
void session.restore(back);
