/** The API in the console's words: one method for each thing that a page asks for. */
import { query, type Call } from "./http";
import { diagnostic, Problem } from "./problem";
import { randomId, type Session } from "./session";
import type {
  Device,
  DeviceDetail,
  FleetEvent,
  Limit,
  Lock,
  LockRequest,
  Operation,
  Page,
  Picture,
  Plugin,
  PluginPackage,
  PowerStatus,
  Publisher,
  Rollout,
  RolloutRequest,
  SeriesReadings,
  StandingInterlock,
  Switch,
  Trip,
  Validation,
} from "./types";

/** Everything that holds a device, besides its limits. */
export interface Holds {
  interlocks: StandingInterlock[];
  locks: Lock[];
  trips: Trip[];
  power: PowerStatus;
  /** Operations that wait to be confirmed. */
  armed: Operation[];
}

export interface Range {
  from: number;
  to: number;
}

export class Api {
  constructor(
    private readonly session: Pick<Session, "token" | "refresh" | "end">,
    private readonly send: (call: Call) => Promise<unknown>,
  ) {}

  async devices(): Promise<Device[]> {
    return (await this.#get<Page<Device>>(query("/api/v1/devices", { per_page: 200 }))).data;
  }

  async device(id: string): Promise<DeviceDetail> {
    return (await this.#get<{ data: DeviceDetail }>(`/api/v1/devices/${segment(id)}`)).data;
  }

  /** Raw samples of every series of the given reading types, one request a type. */
  async readings(id: string, types: string[], range: Range): Promise<SeriesReadings[]> {
    const answers = await Promise.all(
      types.map((reading_type) =>
        this.#get<{ data: SeriesReadings[] }>(
          query(`/api/v1/devices/${segment(id)}/readings`, { reading_type, from: range.from, to: range.to }),
        ),
      ),
    );
    return answers.flatMap((answer) => answer.data);
  }

  async limits(id: string): Promise<Limit[]> {
    return (await this.#get<{ data: Limit[] }>(`/api/v1/devices/${segment(id)}/limits`)).data;
  }

  async holds(id: string): Promise<Holds> {
    const of = `/api/v1/devices/${segment(id)}`;
    const [interlocks, locks, trips, power, operations] = await Promise.all([
      this.#get<{ data: StandingInterlock[] }>(`${of}/interlocks`),
      this.#get<{ data: Lock[] }>(`${of}/locks`),
      this.#get<{ data: Trip[] }>(`${of}/trips`),
      this.#get<{ data: PowerStatus }>(`${of}/power`),
      this.#get<Page<Operation>>(query("/api/v1/operations", { device: id, per_page: 20 })),
    ]);
    const armed = operations.data.filter((operation) => operation.state === "armed");
    return { interlocks: interlocks.data, locks: locks.data, trips: trips.data, power: power.data, armed };
  }

  events(filter: { device?: string | undefined; cursor?: string | null; limit?: number }): Promise<Page<FleetEvent>> {
    return this.#get(query("/api/v1/events", filter));
  }

  async operation(id: string): Promise<Operation> {
    return (await this.#get<{ data: Operation }>(`/api/v1/operations/${segment(id)}`)).data;
  }

  async setPowerCap(id: string, cap_watts: number | null, actuator: string | null): Promise<Operation> {
    return this.#command(`/api/v1/devices/${segment(id)}/power`, { cap_watts, actuator });
  }

  async setFanFloor(id: string, fan_floor: number | null, actuator: string | null): Promise<Operation> {
    return this.#command(`/api/v1/devices/${segment(id)}/thermal`, { fan_floor, actuator });
  }

  /** Asks a switch for something; what was seen of it has to hold still. */
  reset(id: string, of: Switch, reset_type: string): Promise<Operation> {
    const expected = of.state === null ? {} : { expected_state: of.state };
    return this.#command(`/api/v1/devices/${segment(id)}/power`, { reset_type, switch: of.id, ...expected });
  }

  /** The second hand of what a machine has armed. */
  confirm(operation: string, token: string): Promise<Operation> {
    return this.#command(`/api/v1/operations/${segment(operation)}/confirm`, { token });
  }

  setLock(id: string, lock: LockRequest): Promise<Operation> {
    return this.#command(`/api/v1/devices/${segment(id)}/locks`, lock);
  }

  releaseLock(id: string, lock: string, justification: string | null): Promise<Operation> {
    return this.#command(`/api/v1/devices/${segment(id)}/locks/${segment(lock)}/release`, { justification });
  }

  clearTrip(id: string, limit: string, reason: string): Promise<Operation> {
    return this.#command(`/api/v1/devices/${segment(id)}/trips/${segment(limit)}/clear`, { reason });
  }

  async validate(code: string): Promise<Validation> {
    const answer = await this.#call<{ valid: boolean; errors?: unknown[] }>({
      method: "POST",
      path: "/api/media/diagrams/validate",
      body: { format: "graphviz", code },
    });
    return { valid: answer.valid, errors: (answer.errors ?? []).map(diagnostic) };
  }

  render(code: string): Promise<Picture> {
    return this.#call({
      method: "POST",
      path: "/api/media/diagrams/render",
      body: { format: "graphviz", code, outputFormat: "svg" },
    });
  }

  async plugins(): Promise<Plugin[]> {
    return (await this.#get<{ data: Plugin[] }>("/api/v1/plugins")).data;
  }

  async packages(): Promise<PluginPackage[]> {
    return (await this.#get<{ data: PluginPackage[] }>("/api/v1/plugins/packages")).data;
  }

  async publishers(): Promise<Publisher[]> {
    return (await this.#get<{ data: Publisher[] }>("/api/v1/plugins/publishers")).data;
  }

  /** `null` where no version of it runs by an order. */
  async rollout(plugin: string): Promise<Rollout | null> {
    try {
      return (await this.#get<{ data: Rollout }>(`/api/v1/plugins/${segment(plugin)}/rollout`)).data;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  }

  async install(component: File, signature: string): Promise<PluginPackage> {
    const body = new FormData();
    body.set("signature", signature);
    body.set("file", component);
    return (await this.#call<{ data: PluginPackage }>({ method: "POST", path: "/api/v1/plugins", body })).data;
  }

  async trust(name: string, public_key: string): Promise<Publisher> {
    const path = "/api/v1/plugins/publishers";
    return (await this.#call<{ data: Publisher }>({ method: "POST", path, body: { name, public_key } })).data;
  }

  async distrust(key: string): Promise<void> {
    await this.#call({ method: "DELETE", path: `/api/v1/plugins/publishers/${segment(key)}` });
  }

  async rollOut(plugin: string, request: RolloutRequest): Promise<Rollout> {
    const path = `/api/v1/plugins/${segment(plugin)}/rollout`;
    return (await this.#call<{ data: Rollout }>({ method: "PUT", path, body: request })).data;
  }

  async rollBack(plugin: string): Promise<Rollout> {
    return (await this.#call<{ data: Rollout }>({ method: "POST", path: `/api/v1/plugins/${segment(plugin)}/rollback` })).data;
  }

  async removePackage(hash: string): Promise<void> {
    await this.#call({ method: "DELETE", path: `/api/v1/plugins/packages/${segment(hash)}` });
  }

  async removePlugin(plugin: string): Promise<void> {
    await this.#call({ method: "DELETE", path: `/api/v1/plugins/${segment(plugin)}` });
  }

  async usePlugin(plugin: string, use: boolean): Promise<void> {
    await this.#call({ method: "POST", path: `/api/v1/plugins/${segment(plugin)}/${use ? "enable" : "disable"}` });
  }

  async ticket(): Promise<string> {
    const answer = await this.#call<{ data: { ticket: string } }>({ method: "POST", path: "/api/v1/auth/ws-ticket" });
    return answer.data.ticket;
  }

  async #command(path: string, body: object): Promise<Operation> {
    const idempotencyKey = randomId();
    return (await this.#call<{ data: Operation }>({ method: "POST", path, body, idempotencyKey })).data;
  }

  #get<T>(path: string): Promise<T> {
    return this.#call({ method: "GET", path });
  }

  /** A 401 may mean that the token was revoked a moment ago: one fresh token, one more try. */
  async #call<T>(call: Call): Promise<T> {
    try {
      return (await this.send({ ...call, token: await this.session.token() })) as T;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || error.code === "signed_out") throw error;
    }
    const token = await this.session.refresh();
    try {
      return (await this.send({ ...call, token })) as T;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.session.end("The session has ended. Sign in again.");
      throw error;
    }
  }
}

function segment(id: string): string {
  return encodeURIComponent(id);
}
