package dev.duoka.data.jinja;

import java.util.List;

/**
 * What a template wrote.
 *
 * @param text all of it
 * @param generated the stretches that {@code generation} blocks wrote, in order
 */
public record Rendering(String text, List<Stretch> generated) {
  /**
   * A part of the text.
   *
   * @param start index of its first {@code char}
   * @param end index behind its last one
   */
  public record Stretch(int start, int end) {}
}
