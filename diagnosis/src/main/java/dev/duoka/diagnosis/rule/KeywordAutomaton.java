package dev.duoka.diagnosis.rule;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds many words in bytes in one pass, whatever their case (Aho and Corasick, "Efficient string
 * matching", 1975), as one table of transitions over classes of bytes.
 *
 * <p>States are numbered so that one comparison tells whether something has to be done: those from
 * {@link #firstSpecial} on end a word or a line.
 */
public final class KeywordAutomaton {
  private static final int[] NOTHING = {};

  private final byte[] classes;
  private final int[] table;
  private final int width;
  private final int firstSpecial;
  private final int[][] words;

  private KeywordAutomaton(
      byte[] classes, int[] table, int width, int firstSpecial, int[][] words) {
    this.classes = classes;
    this.table = table;
    this.width = width;
    this.firstSpecial = firstSpecial;
    this.words = words;
  }

  /** The automaton of these words: lower case, without line breaks, none empty. */
  static KeywordAutomaton of(List<String> keywords) {
    return new Builder(keywords).build();
  }

  /** The class of each byte. */
  public byte[] classes() {
    return classes;
  }

  /** The next state: {@code table[state + classes[byte & 0xff]]}; 0 is the start. */
  public int[] table() {
    return table;
  }

  /** States below this one need no attention. */
  public int firstSpecial() {
    return firstSpecial;
  }

  /** The words that end in a special state; empty for the end of a line. */
  public int[] words(int state) {
    return words[(state - firstSpecial) / width];
  }

  private static final class Builder {
    private final byte[] classes = new byte[256];
    private final List<int[]> next = new ArrayList<>();
    private final List<int[]> output = new ArrayList<>();
    private final int width;

    Builder(List<String> keywords) {
      List<byte[]> texts =
          keywords.stream().map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
      // 0: in no word; 1: ends a line; 2 and up: one each.
      classes['\n'] = 1;
      classes['\r'] = 1;
      int count = 2;
      for (byte[] text : texts) {
        for (byte b : text) {
          if (classes[b & 0xff] == 0) {
            classes[b & 0xff] = (byte) count++;
          }
        }
      }
      for (int c = 'A'; c <= 'Z'; c++) {
        classes[c] = classes[c + 'a' - 'A'];
      }
      width = count;
      newState();
      for (int word = 0; word < texts.size(); word++) {
        add(texts.get(word), word);
      }
    }

    private int newState() {
      int[] row = new int[width];
      Arrays.fill(row, -1);
      next.add(row);
      output.add(NOTHING);
      return next.size() - 1;
    }

    private void add(byte[] text, int word) {
      int state = 0;
      for (byte b : text) {
        int c = classes[b & 0xff];
        int following = next.get(state)[c];
        if (following < 0) {
          following = newState();
          next.get(state)[c] = following;
        }
        state = following;
      }
      output.set(state, joined(output.get(state), new int[] {word}));
    }

    private static int[] joined(int[] a, int[] b) {
      int[] all = Arrays.copyOf(a, a.length + b.length);
      System.arraycopy(b, 0, all, a.length, b.length);
      return all;
    }

    KeywordAutomaton build() {
      int endOfLine = newState();
      completeTransitions(endOfLine);
      int states = next.size();
      int[] order = new int[states];
      int plain = 0;
      for (int s = 0; s < states; s++) {
        if (!special(s, endOfLine)) {
          order[s] = plain++;
        }
      }
      int number = plain;
      int[][] words = new int[states - plain][];
      for (int s = 0; s < states; s++) {
        if (special(s, endOfLine)) {
          words[number - plain] = output.get(s);
          order[s] = number++;
        }
      }
      int[] table = new int[states * width];
      for (int s = 0; s < states; s++) {
        for (int c = 0; c < width; c++) {
          table[order[s] * width + c] = order[next.get(s)[c]] * width;
        }
      }
      return new KeywordAutomaton(classes, table, width, plain * width, words);
    }

    private boolean special(int state, int endOfLine) {
      return state == endOfLine || output.get(state).length > 0;
    }

    private void completeTransitions(int endOfLine) {
      int[] failure = new int[next.size()];
      ArrayDeque<Integer> queue = new ArrayDeque<>();
      int[] root = next.getFirst();
      for (int c = 0; c < width; c++) {
        if (root[c] < 0) {
          root[c] = 0;
        } else {
          queue.add(root[c]);
        }
      }
      while (!queue.isEmpty()) {
        int state = queue.remove();
        int[] fallback = next.get(failure[state]);
        output.set(state, joined(output.get(state), output.get(failure[state])));
        int[] row = next.get(state);
        for (int c = 0; c < width; c++) {
          if (row[c] < 0) {
            row[c] = fallback[c];
          } else {
            failure[row[c]] = fallback[c];
            queue.add(row[c]);
          }
        }
      }
      next.set(endOfLine, root.clone());
      next.forEach(row -> row[1] = endOfLine);
    }
  }
}
