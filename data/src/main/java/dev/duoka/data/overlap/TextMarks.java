package dev.duoka.data.overlap;

import java.util.Arrays;
import java.util.Locale;

/**
 * What a text is compared by: a hash of all of it without regard to case and white space, and one
 * of each passage of {@value #WORDS} words, after Brown et al., "Language Models are Few-Shot
 * Learners", 2020, appendix C.
 *
 * <p>A word is a run of letters and digits; of scripts that are written without spaces each
 * character is one.
 */
final class TextMarks {
  static final int WORDS = 13;

  private static final long BASE = 0x9e3779b97f4a7c15L;
  private static final long LEAVING = power(WORDS);

  private final long normalised;
  private final long[] passages;

  private TextMarks(long normalised, long[] passages) {
    this.normalised = normalised;
    this.passages = passages;
  }

  /** The hash of all of it; 0 where there is no word. */
  long normalised() {
    return normalised;
  }

  /** The hashes of its passages, each once, in their order; the array itself, not a copy. */
  long[] passages() {
    return passages;
  }

  /**
   * The marks of a text.
   *
   * @param sampling passages are left out but for one of 2^sampling, by their hash
   */
  static TextMarks of(String text, int sampling) {
    String lower = text.toLowerCase(Locale.ROOT);
    long[] window = new long[WORDS];
    long[] found = new long[Math.max(16, (lower.length() / 8) >> Math.min(sampling, 20))];
    int count = 0;
    int words = 0;
    long rolling = 0;
    long whole = 0;
    int i = 0;
    while (i < lower.length()) {
      int point = lower.codePointAt(i);
      int size = Character.charCount(point);
      if (!Character.isLetterOrDigit(point)) {
        if (!Character.isWhitespace(point)) {
          whole = (whole ^ point) * BASE; // signs count for the whole, not for passages
        }
        i += size;
        continue;
      }
      long word = 0xcbf29ce484222325L;
      boolean alone = standsAlone(point);
      int end = i;
      while (end < lower.length()) {
        int next = lower.codePointAt(end);
        if (!Character.isLetterOrDigit(next) || (end > i && (alone || standsAlone(next)))) {
          break;
        }
        word = (word ^ next) * 0x100000001b3L;
        end += Character.charCount(next);
      }
      word = ContentHashes.mix(word);
      whole = (whole ^ word) * BASE;
      whole ^= whole >>> 32;
      int slot = words++ % WORDS;
      rolling = rolling * BASE + word - window[slot] * LEAVING;
      window[slot] = word;
      long passage = ContentHashes.mix(rolling);
      if (words >= WORDS && isSampled(passage, sampling)) {
        if (count == found.length) {
          found = Arrays.copyOf(found, 2 * count);
        }
        found[count++] = passage;
      }
      i = end;
    }
    long[] passages = Arrays.stream(found, 0, count).sorted().distinct().toArray();
    return new TextMarks(words == 0 ? 0 : ContentHashes.mix(whole) | 1, passages);
  }

  /** Whether a passage is one of those that are looked at. */
  static boolean isSampled(long passage, int sampling) {
    return passage >>> (Long.SIZE - 1 - sampling) >>> 1 == 0;
  }

  /** Han, kana and the scripts of Southeast Asia have no spaces between words. */
  private static boolean standsAlone(int point) {
    if (point < 0x0E00) {
      return false;
    }
    return switch (Character.UnicodeScript.of(point)) {
      case HAN, HIRAGANA, KATAKANA, THAI, LAO, KHMER, MYANMAR -> true;
      default -> false;
    };
  }

  private static long power(int exponent) {
    long power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= BASE;
    }
    return power;
  }
}
