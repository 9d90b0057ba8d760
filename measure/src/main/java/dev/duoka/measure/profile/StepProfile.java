package dev.duoka.measure.profile;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.step.StepFloor;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where the time of steps goes, part by part, beside the least time that the card needs for it. On
 * CUDA the times are the device's own.
 */
public final class StepProfile implements FunctionObserver, AutoCloseable {
  private static final Pattern LAYER = Pattern.compile("model\\.layers\\.\\d+\\.");

  /** The name of the function that is a whole block under full recompute. */
  private static final String RECOMPUTED_BLOCK = "recomputed block";

  private static final int AGAIN = 3;

  /** One part of one step. */
  public record Span(Phase phase, String name, double startMs, double endMs, Work work) {}

  /**
   * All spans of one kind.
   *
   * @param name of the function, without the layer's number
   * @param calls in a step
   * @param milliseconds in a step
   * @param floorMilliseconds in a step
   */
  public record Line(
      Phase phase, String name, double calls, double milliseconds, double floorMilliseconds) {
    /** What the step would gain if this ran at its floor. */
    public double leverMilliseconds() {
      return Math.max(0, milliseconds - floorMilliseconds);
    }

    /**
     * Whether its floor is above its time: the device was busy with something else whenever the
     * floor was measured.
     */
    public boolean isFloorInDoubt() {
      return floorMilliseconds > milliseconds;
    }

    /** Adds it to a report. */
    void describe(ObjectNode part) {
      part.put("name", name);
      part.put("phase", phase.name().toLowerCase(Locale.ROOT));
      part.put("calls", calls);
      part.put("ms", milliseconds);
      part.put("floor_ms", floorMilliseconds);
      if (isFloorInDoubt()) {
        part.put("floor_in_doubt", true);
      }
    }

    /** Name and phase, for people. */
    public String label() {
      return name + ", " + phase.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  private record Pending(Phase phase, String name, int start, int end, Work work) {}

  private record Kind(Phase phase, String name) {}

  private final DeviceClock clock;
  private final boolean owned;
  private final List<Pending> pending = new ArrayList<>();
  private int begun;

  /** A profile of what runs on {@code device}. */
  public StepProfile(Device device) {
    clock = new DeviceClock(device);
    owned = true;
  }

  /** A profile by a clock that others mark on too and that outlives this. */
  StepProfile(DeviceClock clock) {
    this.clock = clock;
    owned = false;
  }

  @Override
  public void begin(Phase phase, String name) {
    begun = clock.mark();
  }

  @Override
  public void end(Phase phase, String name, Work work) {
    pending.add(new Pending(phase, name, begun, clock.mark(), work));
  }

  /** Everything that was seen, in order; waits for the device. */
  public List<Span> spans() {
    return pending.stream()
        .map(
            p ->
                new Span(
                    p.phase(),
                    p.name(),
                    clock.milliseconds(p.start()),
                    clock.milliseconds(p.end()),
                    p.work()))
        .toList();
  }

  /**
   * The spans of {@code steps} steps summed by kind, the largest distance from its floor first.
   * Where a kind's floor is above its time, its products are measured again, a few times at most.
   *
   * @param step the floor of a step, from which recomputed blocks have theirs: what is inside of
   *     them is no span
   */
  public static List<Line> table(List<Span> spans, int steps, DeviceRates rates, StepFloor step) {
    Map<Kind, List<Span>> kinds = new LinkedHashMap<>();
    for (Span span : spans) {
      String name = LAYER.matcher(span.name()).replaceAll("").replace(".weight", "");
      kinds.computeIfAbsent(new Kind(span.phase(), name), _ -> new ArrayList<>()).add(span);
    }
    return kinds.entrySet().stream()
        .map(entry -> line(entry.getKey(), entry.getValue(), steps, rates, step))
        .sorted(Comparator.comparingDouble((Line l) -> l.floorMilliseconds() - l.milliseconds()))
        .toList();
  }

  /** Milliseconds of a step that none of its parts accounts for. */
  static double rest(double milliseconds, List<Line> lines) {
    return Math.max(0, milliseconds - lines.stream().mapToDouble(Line::milliseconds).sum());
  }

  private static Line line(
      Kind kind, List<Span> spans, int steps, DeviceRates rates, StepFloor step) {
    double time = spans.stream().mapToDouble(span -> span.endMs() - span.startMs()).sum();
    boolean whole = kind.name().equals(RECOMPUTED_BLOCK);
    for (int i = 0; !whole && i < AGAIN && floor(spans, rates) > time; i++) {
      spans.stream().map(Span::work).distinct().forEach(rates::again);
    }
    return new Line(
        kind.phase(),
        kind.name(),
        (double) spans.size() / steps,
        time / steps,
        whole ? blockFloor(kind.phase(), rates, step) * 1e3 : floor(spans, rates) / steps);
  }

  /** Milliseconds of all spans. */
  private static double floor(List<Span> spans, DeviceRates rates) {
    return spans.stream().mapToDouble(span -> rates.floor(span.work()) * 1e3).sum();
  }

  /** A recomputed block's gradients of both kinds are one part. */
  private static double blockFloor(Phase phase, DeviceRates rates, StepFloor step) {
    return switch (phase) {
      case FORWARD -> step.blockSeconds(rates, true);
      case INPUT_GRADIENTS -> step.blockSeconds(rates, false);
      case WEIGHT_GRADIENTS, UPDATE -> 0;
    };
  }

  @Override
  public void close() {
    if (owned) {
      clock.close();
    }
  }
}
