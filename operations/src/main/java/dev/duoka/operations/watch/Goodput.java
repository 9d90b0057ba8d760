package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where the time of a run went, by when its lines were written: to its steps, and to what else lay
 * between them. Lines of steps that were taken twice count once, for the file has them once. One
 * thread.
 */
final class Goodput {
  /** A pause longer than this, and than some steps, is no saving: the run was not there. */
  private static final double PAUSE_SECONDS = 20;

  private static final double PAUSE_STEPS = 10;

  private double first = Double.NaN;
  private double last = Double.NaN;
  private double steps;
  private double data;
  private double exposed;
  private double exposedOf;
  private double validation;
  private double stopped;
  private double other;

  /**
   * The seconds.
   *
   * @param wall from the first line to the last one
   * @param steps of all steps
   * @param data of these, spent on waiting for batches
   * @param exposedShare of the steps' time in which nothing was done but exchange, as far as that
   *     was measured; NaN where it was not
   * @param validation of evaluations
   * @param stopped of pauses in which the run was not there
   * @param other of everything else, such as starting and saving
   */
  record Times(
      double wall,
      double steps,
      double data,
      double exposedShare,
      double validation,
      double stopped,
      double other) {
    /** The part of the time that went to steps which did not wait for their batches. */
    double ratio() {
      // Steps are timed by the device, lines by the host: their sum may exceed the wall by a
      // little.
      return wall > 0 ? Math.min(1, (steps - data) / wall) : Double.NaN;
    }
  }

  /** A line of a step. */
  void step(double time, double seconds, double waitedForData, double onlyExchanged) {
    if (!Double.isFinite(time) || !Double.isFinite(seconds)) {
      return;
    }
    if (Double.isNaN(last)) {
      first = time - seconds;
      last = first;
    }
    double rest = Math.max(0, time - last - seconds);
    boolean pause = rest > PAUSE_SECONDS && rest > PAUSE_STEPS * seconds;
    stopped += pause ? rest : 0;
    other += pause ? 0 : rest;
    steps += seconds;
    data += Double.isFinite(waitedForData) ? waitedForData : 0;
    if (Double.isFinite(onlyExchanged)) {
      exposed += onlyExchanged;
      exposedOf += seconds;
    }
    last = Math.max(last, time);
  }

  /** A line of a validation. */
  void validation(double time) {
    if (Double.isFinite(time) && time > last) {
      validation += time - last;
      last = time;
    }
  }

  /** All that is known so far, for {@link #of}. */
  ObjectNode json() {
    ObjectNode json = Json.object();
    Json.putNumber(json, "first", first);
    Json.putNumber(json, "last", last);
    json.put("steps", steps);
    json.put("data", data);
    json.put("exposed", exposed);
    json.put("exposed_of", exposedOf);
    json.put("validation", validation);
    json.put("stopped", stopped);
    json.put("other", other);
    return json;
  }

  /** One that goes on where another was. */
  static Goodput of(JsonNode json) {
    Goodput goodput = new Goodput();
    goodput.first = json.path("first").asDouble(Double.NaN);
    goodput.last = json.path("last").asDouble(Double.NaN);
    goodput.steps = json.path("steps").asDouble(0);
    goodput.data = json.path("data").asDouble(0);
    goodput.exposed = json.path("exposed").asDouble(0);
    goodput.exposedOf = json.path("exposed_of").asDouble(0);
    goodput.validation = json.path("validation").asDouble(0);
    goodput.stopped = json.path("stopped").asDouble(0);
    goodput.other = json.path("other").asDouble(0);
    return goodput;
  }

  /** What is known so far. */
  Times times() {
    return new Times(
        Double.isNaN(last) ? 0 : last - first,
        steps,
        data,
        exposedOf > 0 ? exposed / exposedOf : Double.NaN,
        validation,
        stopped,
        other);
  }
}
