package dev.duoka.machine.topology;

import dev.duoka.machine.topology.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A row of a pasted matrix as it stands there: its label and the tokens after it. */
final class RawRow {
  private final @Nullable String label;
  private final List<Token> tokens = new ArrayList<>();
  private final int line;

  /** The text of the line that the row ends on. */
  private String lastLine;

  private boolean wrapped;
  private boolean atPasteEnd;
  private boolean tornNumbers;

  RawRow(@Nullable String label, int line, String text) {
    this.label = label;
    this.line = line;
    this.lastLine = text;
  }

  /** The device in front of the row; null where it is lost. */
  @Nullable String label() {
    return label;
  }

  int line() {
    return line;
  }

  String lastLine() {
    return lastLine;
  }

  boolean wrapped() {
    return wrapped;
  }

  /** Whether the paste ends with this row, without a line break. */
  boolean atPasteEnd() {
    return atPasteEnd;
  }

  /** Whether a line's end may have taken a list of numbers apart. */
  boolean tornNumbers() {
    return tornNumbers;
  }

  void markPasteEnd() {
    atPasteEnd = true;
  }

  List<Token> tokens() {
    return tokens;
  }

  /** Everything before the first affinity value. */
  List<Token> cells() {
    int end = 0;
    while (end < tokens.size() && !tokens.get(end).inAffinity()) {
      end++;
    }
    return tokens.subList(0, end);
  }

  /** Everything from the first affinity value on. */
  List<Token> affinity() {
    return tokens.subList(cells().size(), tokens.size());
  }

  /** Adds tokens of the row's own line. */
  void add(List<Token> more) {
    tokens.addAll(more);
  }

  /** Whether a word that begins the next line completes this row's last one. */
  boolean joins(Token next) {
    if (tokens.isEmpty() || !next.is(Kind.WORD)) {
      return false;
    }
    Token joined = TokenScanner.single(tokens.getLast().text() + next.text(), 0);
    return joined.inMatrix() || joined.inAffinity();
  }

  /** Whether numbers reach to the line's end, and the next line may go on with them. */
  boolean endsInNumbersAt(Token next, String nextLine) {
    return !tokens.isEmpty()
        && tokens.getLast().is(Kind.NUMBERS)
        && tokens.getLast().end() >= lastLine.length()
        && !Character.isWhitespace(nextLine.charAt(0))
        && (next.is(Kind.NUMBERS) || joins(next));
  }

  /** Adds the line that the row wraps to, joining a word that the line's end took apart. */
  void wrap(List<Token> more, String text) {
    boolean touches =
        !tokens.isEmpty()
            && tokens.getLast().end() >= lastLine.length()
            && !more.isEmpty()
            && !Character.isWhitespace(text.charAt(0));
    wrapped = true;
    lastLine = text;
    List<Token> rest = new ArrayList<>(more);
    if (!tokens.isEmpty() && !rest.isEmpty()) {
      Token last = tokens.getLast();
      Token next = rest.getFirst();
      Token joined = TokenScanner.single(last.text() + next.text(), next.start());
      if (last.is(Kind.WORD) || next.is(Kind.WORD)) {
        if (joined.inMatrix() || joined.inAffinity()) {
          tokens.set(tokens.size() - 1, joined);
          rest.removeFirst();
        }
      } else if (last.is(Kind.CELL) && next.is(Kind.NUMBERS) && joined.is(Kind.CELL)) {
        // "NV1" and "2": one cell or two columns, nobody knows
        tokens.set(tokens.size() - 1, new Token(Kind.WORD, last.text(), last.start(), true));
        if (rest.size() > 1 && rest.get(1).inMatrix()) {
          rest.removeFirst();
          tokens.set(tokens.size() - 1, joined);
        }
      } else if (last.is(Kind.NUMBERS)
          && next.is(Kind.NUMBERS)
          && (last.text().endsWith(",") || last.text().endsWith("-"))) {
        tokens.set(tokens.size() - 1, joined);
        rest.removeFirst();
      } else if (touches && last.is(Kind.NUMBERS) && next.is(Kind.NUMBERS)) {
        tornNumbers = true; // "0-79,1" and "60-239": one list or two columns, nobody knows
      }
    }
    tokens.addAll(rest);
  }
}
