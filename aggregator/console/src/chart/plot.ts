/** The options of one uPlot chart: axes, inks, and what is painted besides the lines, which is
 * thresholds and gaps. */
import uPlot from "uplot";
import { clock } from "../format/time";
import { figure } from "../format/units";
import type { Axis, Threshold } from "./thresholds";
import { axisRange } from "./thresholds";
import { lineColour, type Inks } from "./palette";
import type { Track } from "./track";

export interface Picture {
  unit: string;
  axis: Axis;
  inks: Inks;
  /** Asked at each drawing, so that they are always today's. */
  tracks(): readonly Track[];
  thresholds(): readonly Threshold[];
  range(): [number, number];
  onCursor(timeMs: number | null): void;
}

const FONT = "11px system-ui, sans-serif";
const STRIP_PX = 5;
/** Two labels nearer than this stand side by side. */
const LABEL_PX = 13;

export function options(picture: Picture, width: number, height: number): uPlot.Options {
  const { inks } = picture;
  return {
    width,
    height,
    ms: 1,
    // Room for a label over a line at the top, and for half of the last time.
    padding: [16, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: "flyball", setSeries: false }, points: { size: 6 }, drag: { setScale: false, x: false, y: false } },
    scales: {
      x: { time: true, range: () => picture.range() },
      y: { range: (_plot, low, high) => axisRange(low, high, picture.axis, picture.thresholds()) },
    },
    axes: [
      { stroke: inks.axis, font: FONT, size: 24, gap: 4, space: 76, grid: { stroke: inks.grid, width: 1 }, ticks: { show: false }, values: (_plot, splits) => splits.map(clock) },
      { stroke: inks.axis, font: FONT, size: 46, gap: 4, space: 28, grid: { stroke: inks.grid, width: 1 }, ticks: { show: false }, values: (_plot, splits) => labels(splits, picture.unit) },
    ],
    series: [
      {},
      ...picture.tracks().map((_track, index) => ({
        stroke: lineColour(inks, index),
        width: 1.4,
        spanGaps: false,
        // A value between two gaps has no line; a point shows it.
        points: { show: false },
      })),
    ],
    hooks: {
      drawClear: [(plot) => paintGaps(plot, picture)],
      draw: [(plot) => paintThresholds(plot, picture), (plot) => paintLoners(plot, picture)],
      setCursor: [(plot) => picture.onCursor(cursorTime(plot))],
    },
  };
}

function labels(splits: number[], unit: string): string[] {
  const step = splits.length > 1 ? Math.abs((splits[1] as number) - (splits[0] as number)) * (unit === "1" ? 100 : 1) : 1;
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  return splits.map((value) => figure(value, unit, digits).text);
}

function cursorTime(plot: uPlot): number | null {
  const left = plot.cursor.left ?? -1;
  return left < 0 ? null : plot.posToVal(left, "x");
}

/** A span that no series has is hatched over the whole height; one that only some lack is a strip
 * in their colour at the foot. */
function paintGaps(plot: uPlot, picture: Picture): void {
  const { ctx, bbox } = plot;
  const tracks = picture.tracks().filter((_track, index) => plot.series[index + 1]?.show !== false);
  const indexOf = new Map(picture.tracks().map((track, index) => [track, index]));
  const strip = STRIP_PX * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const painted = new Set<string>();
  for (const track of tracks) {
    for (const gap of track.gaps) {
      const key = `${gap.from_ms}/${gap.to_ms}`;
      const shared = tracks.every((other) => other.gaps.some((one) => one.from_ms <= gap.from_ms && one.to_ms >= gap.to_ms));
      if (shared && painted.has(key)) continue;
      painted.add(key);
      const left = plot.valToPos(gap.from_ms - track.cadenceMs / 2, "x", true);
      const width = Math.max(2 * devicePixelRatio, plot.valToPos(gap.to_ms + track.cadenceMs / 2, "x", true) - left);
      if (shared) hatch(ctx, left, bbox.top, width, bbox.height, picture.inks.gap);
      else {
        ctx.globalAlpha = 0.55;
        ctx.fillStyle = lineColour(picture.inks, indexOf.get(track) ?? 0);
        ctx.fillRect(left, bbox.top + bbox.height - strip, width, strip);
      }
    }
  }
  ctx.restore();
}

function hatch(ctx: CanvasRenderingContext2D, left: number, top: number, width: number, height: number, ink: string): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = ink;
  ctx.globalAlpha = 0.1;
  ctx.fillRect(left, top, width, height);
  ctx.globalAlpha = 0.4;
  ctx.strokeStyle = ink;
  ctx.lineWidth = devicePixelRatio;
  const step = 7 * devicePixelRatio;
  ctx.beginPath();
  // The hatching hangs on the canvas, not on the gap, so that it doesn't crawl as time moves on.
  for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

function paintThresholds(plot: uPlot, picture: Picture): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width - 3 * devicePixelRatio;
  let before = { y: Infinity, left: right };
  ctx.save();
  ctx.font = `${10.5 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  for (const line of picture.thresholds()) {
    const y = plot.valToPos(line.value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = ctx.fillStyle = picture.inks[line.kind];
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(line.kind === "trip" ? [] : [5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const label = `${line.name} ${line.kind} ${figure(line.value, picture.unit, 0).text}`;
    const x = before.y - y < LABEL_PX * devicePixelRatio ? before.left - 10 * devicePixelRatio : right;
    before = { y, left: x - ctx.measureText(label).width };
    write(ctx, label, x, y - 2 * devicePixelRatio, picture.inks.halo);
  }
  ctx.restore();
}

/** Words that stay readable over lines. */
function write(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, halo: string): void {
  ctx.save();
  ctx.setLineDash([]);
  ctx.strokeStyle = halo;
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeText(text, x, y);
  ctx.restore();
  ctx.fillText(text, x, y);
}

/** Values without a neighbour on either side. */
function paintLoners(plot: uPlot, picture: Picture): void {
  const { ctx } = plot;
  const [from, to] = picture.range();
  picture.tracks().forEach((track, index) => {
    if (plot.series[index + 1]?.show === false) return;
    ctx.fillStyle = lineColour(picture.inks, index);
    const apart = track.cadenceMs * 1.5;
    track.times.forEach((t, i) => {
      if (t < from || t > to) return;
      if (t - (track.times[i - 1] ?? -Infinity) <= apart || (track.times[i + 1] ?? Infinity) - t <= apart) return;
      ctx.beginPath();
      ctx.arc(plot.valToPos(t, "x", true), plot.valToPos(track.values[i] as number, "y", true), 1.6 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    });
  });
}
