package dev.duoka.cli.console;

import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The whole of a terminal, for a view that is drawn again and again; what was there comes back. */
public final class Screen implements AutoCloseable {
  private static final int USUAL_LINES = 24;
  private static final int USUAL_COLUMNS = 80;
  private static final Pattern SIZE = Pattern.compile("(\\d{1,4}) (\\d{1,4})");

  private static final String ENTER = "\033[?1049h\033[?25l";
  private static final String LEAVE = "\033[?25h\033[?1049l";
  private static final String TO_BEGIN = "\033[H";
  private static final String CLEAR_LINE = "\033[K";
  private static final String CLEAR_BELOW = "\033[J";

  private final PrintWriter out;

  /** Takes the terminal; it is given back by {@link #close}. */
  public Screen(PrintWriter out) {
    this.out = out;
    out.print(ENTER);
    out.flush();
  }

  /** Whether somebody sees what is printed and can type, and no file or pipe keeps it. */
  public static boolean isTerminal() {
    // Null again since Java 25, where there is no terminal.
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
  }

  /** Columns of the terminal; 80 where nobody says. */
  public static int columns() {
    return size(2, USUAL_COLUMNS, "COLUMNS");
  }

  /** Lines of the terminal; 24 where nobody says. */
  public static int lines() {
    return size(1, USUAL_LINES, "LINES");
  }

  /** Shows lines in the place of those that were shown before. */
  public void show(List<String> lines) {
    StringBuilder frame = new StringBuilder(TO_BEGIN);
    for (int i = 0; i < lines.size(); i++) {
      frame.append(i == 0 ? "" : "\r\n").append(lines.get(i)).append(CLEAR_LINE);
    }
    out.print(frame.append(CLEAR_BELOW));
    out.flush();
  }

  @Override
  public void close() {
    out.print(LEAVE);
    out.flush();
  }

  private static int size(int group, int usual, String variable) {
    String set = System.getenv(variable);
    if (set != null && set.matches("\\d{1,4}")) {
      return Integer.parseInt(set);
    }
    Matcher known = SIZE.matcher(isTerminal() ? terminalSize() : "");
    return known.find() ? Integer.parseInt(known.group(group)) : usual;
  }

  /** What {@code stty size} says of this terminal; empty where it cannot. */
  private static String terminalSize() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size").redirectInput(ProcessBuilder.Redirect.INHERIT).start();
      return new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "";
    }
  }
}
