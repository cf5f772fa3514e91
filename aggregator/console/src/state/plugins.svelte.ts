/** What machines have, what is installed, and whose signatures are taken. */
import { Problem } from "../api/problem";
import type { Plugin, PluginPackage, Publisher, Rollout, RolloutRequest } from "../api/types";
import { api } from "./app.svelte";

/** Machines say within seconds how far they are. */
const LOOK_MS = 3_000;

export class Plugins {
  list = $state<Plugin[]>([]);
  packages = $state<PluginPackage[]>([]);
  publishers = $state<Publisher[]>([]);
  rollouts = $state<Map<string, Rollout>>(new Map());
  loading = $state(true);
  busy = $state(false);
  problem = $state<string | null>(null);
  said = $state<string | null>(null);

  #closed = false;
  #timer: ReturnType<typeof setInterval>;

  constructor() {
    void this.load();
    this.#timer = setInterval(() => {
      if (document.visibilityState === "visible" && !this.busy) void this.load();
    }, LOOK_MS);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async load(): Promise<void> {
    try {
      const [list, packages, publishers] = await Promise.all([api.plugins(), api.packages(), api.publishers()]);
      const ids = [...new Set(packages.map((one) => one.plugin_id).filter((id): id is string => id !== null))];
      const rollouts = await Promise.all(ids.map((id) => api.rollout(id)));
      if (this.#closed) return;
      [this.list, this.packages, this.publishers] = [list, packages, publishers];
      this.rollouts = new Map(rollouts.filter((one): one is Rollout => one !== null).map((one) => [one.plugin_id, one]));
      if (this.loading) this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.loading) this.problem = error.message;
    } finally {
      this.loading = false;
    }
  }

  use(plugin: string, use: boolean): Promise<boolean> {
    return this.#do(() => api.usePlugin(plugin, use), `${plugin} is ${use ? "used again" : "no longer used"}.`);
  }

  install(component: File, signature: string): Promise<boolean> {
    return this.#do(() => api.install(component, signature), "Installed. It runs nowhere before it is rolled out.");
  }

  rollOut(plugin: string, request: RolloutRequest): Promise<boolean> {
    return this.#do(() => api.rollOut(plugin, request), `${plugin} is being rolled out.`);
  }

  rollBack(plugin: string): Promise<boolean> {
    return this.#do(() => api.rollBack(plugin), `The version of ${plugin} before is back.`);
  }

  removePackage(hash: string): Promise<boolean> {
    return this.#do(() => api.removePackage(hash), "The component is removed.");
  }

  removePlugin(plugin: string): Promise<boolean> {
    return this.#do(() => api.removePlugin(plugin), `${plugin} is removed from every machine.`);
  }

  trust(name: string, key: string): Promise<boolean> {
    return this.#do(() => api.trust(name, key), `Components signed by ${name} are taken.`);
  }

  distrust(publisher: Publisher): Promise<boolean> {
    return this.#do(() => api.distrust(publisher.key_id), `New components of ${publisher.name} are not taken any more.`);
  }

  /** False where it was refused; the reason is shown. */
  async #do(run: () => Promise<unknown>, said: string): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    [this.problem, this.said] = [null, null];
    try {
      await run();
      this.said = said;
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error.message;
      return false;
    } finally {
      this.busy = false;
      await this.load();
    }
  }
}
