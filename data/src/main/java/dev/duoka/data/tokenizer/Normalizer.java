package dev.duoka.data.tokenizer;

import java.text.Normalizer.Form;
import java.util.List;

/** Changes text before it is split, for instance to one Unicode normal form. */
sealed interface Normalizer {
  /** The changed text; empty text stays empty. */
  String apply(String text);

  /** One after the other. */
  record Sequence(List<Normalizer> steps) implements Normalizer {
    @Override
    public String apply(String text) {
      String result = text;
      for (Normalizer step : steps) {
        result = step.apply(result);
      }
      return result;
    }
  }

  /** A Unicode normal form. */
  record Unicode(Form form) implements Normalizer {
    @Override
    public String apply(String text) {
      return java.text.Normalizer.isNormalized(text, form)
          ? text
          : java.text.Normalizer.normalize(text, form);
    }
  }

  /** Every match replaced by a fixed text. */
  record Replace(SafePattern pattern, String content) implements Normalizer {
    @Override
    public String apply(String text) {
      return pattern.replaceAll(text, content);
    }
  }

  /** A fixed text put in front. */
  record Prepend(String prefix) implements Normalizer {
    @Override
    public String apply(String text) {
      return text.isEmpty() ? text : prefix + text;
    }
  }

  /** Each character in lower case by itself, so a final sigma stays an ordinary one. */
  record Lowercase() implements Normalizer {
    @Override
    public String apply(String text) {
      StringBuilder out = new StringBuilder(text.length());
      text.codePoints()
          .forEach(
              c -> {
                if (c == 'İ') {
                  out.append("i\u0307");
                } else {
                  out.appendCodePoint(Character.toLowerCase(c));
                }
              });
      return out.toString();
    }
  }

  /** Without the white space at its ends. */
  record Strip(boolean left, boolean right) implements Normalizer {
    @Override
    public String apply(String text) {
      int start = 0;
      int end = text.length();
      while (left && start < end && WhiteSpace.is(text.charAt(start))) {
        start++;
      }
      while (right && end > start && WhiteSpace.is(text.charAt(end - 1))) {
        end--;
      }
      return text.substring(start, end);
    }
  }

  /** Without combining marks. */
  record StripAccents() implements Normalizer {
    private static final SafePattern MARKS = SafePattern.compile("\\p{M}+");

    @Override
    public String apply(String text) {
      return MARKS.replaceAll(text, "");
    }
  }
}
