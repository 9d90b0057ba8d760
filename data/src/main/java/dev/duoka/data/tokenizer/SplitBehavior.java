package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import org.jspecify.annotations.Nullable;

/** What becomes of the places where a {@link PreTokenizer.Split} matches. */
enum SplitBehavior {
  /** They are left out. */
  REMOVED("Removed"),
  /** Each is a piece. */
  ISOLATED("Isolated"),
  /** Each joins the text before it, unless that is a match too. */
  MERGED_WITH_PREVIOUS("MergedWithPrevious"),
  /** Each joins the text behind it, unless that is a match too. */
  MERGED_WITH_NEXT("MergedWithNext"),
  /** Matches that touch are one piece. */
  CONTIGUOUS("Contiguous");

  private final String json;

  SplitBehavior(String json) {
    this.json = json;
  }

  static SplitBehavior read(@Nullable JsonField field, SplitBehavior fallback) {
    if (field == null) {
      return fallback;
    }
    String name = field.string();
    for (SplitBehavior behavior : values()) {
      if (behavior.json.equals(name)) {
        return behavior;
      }
    }
    throw JsonFile.unsupported(
        field, name, "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
  }

  /** Collects the parts of one piece after another and joins them as the behaviour says. */
  static final class Cutter {
    private final SplitBehavior behavior;
    private final Pieces out;
    private int start;
    private int end;
    private boolean open;
    private boolean lastWasMatch;

    Cutter(SplitBehavior behavior, Pieces out) {
      this.behavior = behavior;
      this.out = out;
    }

    /** The next part, which begins where the one before ended. */
    void part(int from, int to, boolean match) {
      boolean joins =
          open
              && switch (behavior) {
                case REMOVED, ISOLATED -> false;
                case MERGED_WITH_PREVIOUS -> match && !lastWasMatch;
                case MERGED_WITH_NEXT -> !match && lastWasMatch;
                case CONTIGUOUS -> match == lastWasMatch;
              };
      if (joins) {
        end = to;
      } else {
        flush();
        open = behavior != REMOVED || !match;
        start = from;
        end = to;
      }
      lastWasMatch = match;
    }

    /** The end of a piece. */
    void finish() {
      flush();
      lastWasMatch = false;
    }

    private void flush() {
      if (open) {
        out.add(start, end);
      }
      open = false;
    }
  }
}
