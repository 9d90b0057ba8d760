package dev.duoka.data.jinja;

import java.time.LocalDateTime;
import java.util.List;

/** One rendering: where it stands, what it may still take, and what day it is. */
final class Run {
  /** Handling this many characters at once is as much work as a step. */
  static final int CHARACTERS_PER_STEP = 64;

  private final Limits limits;
  private final LocalDateTime now;
  private Place place = Place.START;
  private long steps;
  private int depth;

  Run(Limits limits, LocalDateTime now) {
    this.limits = limits;
    this.now = now;
  }

  LocalDateTime now() {
    return now;
  }

  /** Where the rendering stands. */
  Place place() {
    return place;
  }

  void at(Place where) {
    place = where;
  }

  /** One expression or statement more, inside the ones that are open; {@link #leave} ends it. */
  void enter(Place where) {
    place = where;
    step();
    depth++;
    if (depth > limits.depth()) {
      throw new Fault(
          "calls and expressions are more than " + limits.depth() + " deep, the limit of depth");
    }
  }

  void leave() {
    depth--;
  }

  void step() {
    charge(1);
  }

  void charge(long more) {
    steps += more;
    if (steps > limits.steps()) {
      throw new Fault("rendering takes more than " + limits.steps() + " steps, the limit of steps");
    }
  }

  /** Refuses a text or list of more characters or items than may be. */
  void checkLength(long length) {
    if (length > limits.length()) {
      throw new Fault(
          "a text or list has more than "
              + limits.length()
              + " characters or items, the limit of"
              + " length");
    }
  }

  /** A text that was made. */
  Value text(String text) {
    checkLength(text.length());
    charge(text.length() / CHARACTERS_PER_STEP);
    return Value.of(text);
  }

  /** Two texts joined. */
  Value text(String a, String b) {
    checkLength((long) a.length() + b.length());
    return text(a + b);
  }

  /** Items that were made or are gone through. */
  List<Value> items(List<Value> items) {
    checkLength(items.size());
    charge(items.size());
    return items;
  }
}
