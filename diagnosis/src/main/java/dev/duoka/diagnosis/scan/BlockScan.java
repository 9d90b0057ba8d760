package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LineText;
import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.log.TextBlock;
import dev.duoka.diagnosis.log.UnwrappedText;
import dev.duoka.diagnosis.rule.KeywordAutomaton;
import dev.duoka.diagnosis.rule.LineKinds;
import dev.duoka.diagnosis.rule.LinePattern;
import dev.duoka.diagnosis.rule.RuleBook;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Finds the lines of one block that rules know. The automaton looks at every byte; regular
 * expressions only at lines that hold a rule's word, and at most at a few kilobytes of each.
 */
final class BlockScan {
  /** Of a longer line only the surroundings of the words are read. */
  static final int LONGEST_LINE = 8192;

  private static final int AROUND = 2048;

  /** A pattern that matched so often in one block is not looked for again in it. */
  static final int MOST_MATCHES = 48;

  /** And one that was tried so often in vain neither. */
  static final int MOST_TRIES = 4000;

  private static final int MOST_WORDS_PER_LINE = 64;

  private final RuleBook book;
  private final int[] matches;
  private final int[] tries;
  private final long[] usedInLine;
  private final int[] hits = new int[MOST_WORDS_PER_LINE];
  private final List<Sighting> sightings = new ArrayList<>();
  private final ProgressScan progress = new ProgressScan();
  private int previousStart;
  private int previousEnd;
  private int hitCount;
  private boolean mayBeProgress;
  private int firstHit;
  private int lastHit;
  private long segment;
  private int blockLength;

  BlockScan(RuleBook book) {
    this.book = book;
    this.matches = new int[book.uses().size()];
    this.tries = new int[book.uses().size()];
    this.usedInLine = new long[book.uses().size()];
  }

  /**
   * What a block holds.
   *
   * @param sightings with line numbers that count from 1 in the block
   * @param lines line breaks in the block
   * @param progress the last steps, numbered in the same way
   */
  record Found(List<Sighting> sightings, long lines, ProgressLines progress) {}

  Found scan(TextBlock pasted, OptionalInt rankOfLog) {
    UnwrappedText unwrapped = UnwrappedText.of(pasted);
    TextBlock block = unwrapped.block();
    KeywordAutomaton automaton = book.automaton();
    byte[] classes = automaton.classes();
    int[] table = automaton.table();
    int special = automaton.firstSpecial();
    byte[] bytes = block.bytes();
    int length = block.length();
    blockLength = length;
    int state = 0;
    int start = 0;
    long lines = 0;
    for (int i = 0; i < length; i++) {
      byte b = bytes[i];
      state = table[state + classes[b & 0xff]];
      if (state >= special) {
        if (b == '\n' || b == '\r') {
          endOfLine(bytes, start, i, unwrapped.number(lines + 1));
          start = i + 1;
          lines += b == '\n' ? 1 : 0;
        } else {
          hit(automaton.words(state), i);
        }
      }
    }
    endOfLine(bytes, start, length, unwrapped.number(lines + 1));
    return new Found(
        List.copyOf(sightings), unwrapped.breaks(lines), progress.read(bytes, rankOfLog));
  }

  private void hit(int[] words, int at) {
    for (int word : words) {
      mayBeProgress |= book.isProgressWord(word);
      if (book.usesOfWord(word).length == 0) {
        continue;
      }
      if (hitCount == 0) {
        firstHit = at;
      }
      lastHit = at;
      if (hitCount < MOST_WORDS_PER_LINE) {
        hits[hitCount++] = word;
      }
    }
  }

  private void endOfLine(byte[] bytes, int start, int end, long number) {
    if (mayBeProgress) {
      mayBeProgress = false;
      progress.note(start, end, number);
    }
    if (hitCount > 0) {
      match(bytes, start, end, number);
    }
    if (end > start) {
      previousStart = start;
      previousEnd = end;
    }
  }

  private void match(byte[] bytes, int start, int end, long number) {
    segment++;
    int[] candidates = candidates();
    hitCount = 0;
    if (candidates.length == 0) {
      return;
    }
    int from = start;
    int to = end;
    if (end - start > LONGEST_LINE) {
      from = Math.max(start, firstHit - AROUND);
      to = Math.min(end, Math.min(lastHit + AROUND, from + LONGEST_LINE));
    }
    LogLine line = LogLine.of(LineText.of(bytes, from, to));
    int before = sightings.size();
    boolean telling = false;
    for (int candidate : candidates) {
      RuleBook.PatternUse use = book.uses().get(candidate);
      tries[candidate]++;
      Optional<Map<String, String>> captures = found(use.pattern(), line, bytes, end);
      if (captures.isPresent()) {
        matches[candidate]++;
        telling |= use.rule().role().canStandAlone() && !general(use);
        Map<String, String> values =
            use.rule().id().equals(Tracebacks.RULE)
                ? Tracebacks.lead(LineText.of(bytes, previousStart, longest(previousStart)))
                : captures.get();
        sightings.add(new Sighting(use.rule(), use.index(), 0, number, line, values));
      }
    }
    if (sightings.size() > before && LineKinds.isMention(line.body())) {
      sightings.subList(before, sightings.size()).removeIf(s -> s.rule().role().canStandAlone());
    }
    if (telling) {
      // A line that a rule knows is not also an exception of unknown cause.
      sightings.subList(before, sightings.size()).removeIf(s -> general(s));
    }
  }

  /** What the pattern holds in this line, or in it and those that its message runs over. */
  private Optional<Map<String, String>> found(
      LinePattern pattern, LogLine line, byte[] bytes, int end) {
    return pattern.over() == 0
        ? pattern.find(line.body())
        : pattern.find(LongMessage.from(line, pattern, bytes, end, blockLength));
  }

  private int longest(int from) {
    return Math.min(previousEnd, from + LONGEST_LINE);
  }

  private static boolean general(RuleBook.PatternUse use) {
    return use.rule().id().startsWith("unknown_");
  }

  private static boolean general(Sighting sighting) {
    return sighting.rule().id().startsWith("unknown_");
  }

  /** The patterns that have a word in this line and are still looked for, each once. */
  private int[] candidates() {
    int[] found = new int[16];
    int count = 0;
    for (int i = 0; i < hitCount; i++) {
      for (int use : book.usesOfWord(hits[i])) {
        if (usedInLine[use] != segment && matches[use] < MOST_MATCHES && tries[use] < MOST_TRIES) {
          usedInLine[use] = segment;
          if (count == found.length) {
            found = Arrays.copyOf(found, 2 * count);
          }
          found[count++] = use;
        }
      }
    }
    Arrays.sort(found, 0, count);
    return Arrays.copyOf(found, count);
  }
}
