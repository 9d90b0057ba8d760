package dev.duoka.doctor.container;

import java.util.ArrayList;
import java.util.List;

/** A file whose lines each come with what they are for. */
final class ExplainedFile {
  private record Line(String text, String why) {}

  private final String name;
  private final List<Line> lines = new ArrayList<>();

  ExplainedFile(String name) {
    this.name = name;
  }

  /** Adds a line, or several that belong together. */
  ExplainedFile add(String text, String why) {
    lines.add(new Line(text.stripTrailing(), why));
    return this;
  }

  ExplainedFile blank() {
    lines.add(new Line("", ""));
    return this;
  }

  String name() {
    return name;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(line.text()).append('\n'));
    return text.toString();
  }

  /** The lines and what each is for, in Markdown. */
  String note() {
    StringBuilder note = new StringBuilder("## " + name + "\n\n");
    for (Line line : lines) {
      if (!line.text().isEmpty()) {
        note.append("```\n")
            .append(line.text())
            .append("\n```\n")
            .append(line.why())
            .append("\n\n");
      }
    }
    return note.toString();
  }
}
