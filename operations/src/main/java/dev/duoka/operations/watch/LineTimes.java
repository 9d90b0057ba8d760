package dev.duoka.operations.watch;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Takes from the values of each line what {@link Goodput} asks for. One thread. */
final class LineTimes {
  private static final String EXPOSED = "exposed_seconds.";

  private Goodput goodput = new Goodput();
  private double time;
  private double seconds;
  private double data;
  private double exposed;
  private boolean validates;

  LineTimes() {
    begin();
  }

  private void begin() {
    time = Double.NaN;
    seconds = Double.NaN;
    data = Double.NaN;
    exposed = Double.NaN;
    validates = false;
  }

  /** A value of the line that is read. */
  void value(String name, double value) {
    switch (name) {
      case "time" -> time = value;
      case "seconds.total" -> seconds = value;
      case "seconds.data" -> data = value;
      case "validation_loss" -> validates = true;
      default -> {
        if (name.startsWith(EXPOSED)) {
          exposed = (Double.isNaN(exposed) ? 0 : exposed) + value;
        }
      }
    }
  }

  /** The line is over. */
  void endLine() {
    if (validates) {
      goodput.validation(time);
    } else {
      goodput.step(time, seconds, data, exposed);
    }
    begin();
  }

  /** Forgets all lines. */
  void clear() {
    goodput = new Goodput();
    begin();
  }

  /** What is known so far, to be taken over later. */
  ObjectNode json() {
    return goodput.json();
  }

  /** Takes over what {@link #json} has given. */
  void take(JsonNode json) {
    goodput = Goodput.of(json);
  }

  /** Where the time went. */
  Goodput goodput() {
    return goodput;
  }
}
