/** Devices in words: a machine by what it is, equipment by who made it and where it is reached. */
import type { Device, DeviceKind, FleetEvent } from "../api/types";
import { withUnit } from "./units";

const KINDS: Record<DeviceKind, string> = {
  real: "real machine",
  simulated: "simulated board",
  bmc: "BMC",
  pdu: "PDU",
  ups: "UPS",
  cooling: "cooling unit",
  sensor: "sensor",
  gpu: "GPU",
};

export function kindName(kind: DeviceKind): string {
  return KINDS[kind] ?? kind;
}

/** What tells this device from any other, most telling first. */
export function identityOf(device: Device): string[] {
  const { machine, equipment } = device;
  if (machine !== null) {
    return words([
      machine.hostname,
      words([machine.vendor, machine.product]).join(" "),
      machine.os,
      `kernel ${machine.kernel}`,
      machine.arch,
      `${machine.cpus} CPUs`,
      withUnit(machine.memory_bytes, "By"),
      `agent ${machine.agent_version}`,
    ]);
  }
  if (equipment === null) return [];
  return words([
    words([equipment.vendor, equipment.model]).join(" "),
    equipment.serial === null ? null : `serial ${equipment.serial}`,
    equipment.firmware === null ? null : `firmware ${equipment.firmware}`,
    equipment.address === "" ? `by ${equipment.driver}` : `${equipment.driver} at ${equipment.address}`,
    equipment.state === "connected" ? null : words([equipment.state, equipment.reason]).join(": "),
  ]);
}

/** Is the event about this device? Equipment's events are told by its gateway. */
export function concerns(device: Pick<Device, "id" | "gateway" | "equipment">, event: FleetEvent): boolean {
  if (device.gateway === null || device.equipment === null) return event.device_id === device.id;
  const { key } = device.equipment;
  return event.device_id === device.gateway && (event.subject === key || event.subject.startsWith(`${key}/`));
}

function words(list: (string | null)[]): string[] {
  return list.filter((word): word is string => word !== null && word !== "");
}
