package dev.duoka.data.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds added tokens in text: the leftmost first, and of those that begin there the longest.
 *
 * <p>The search is a trie walked from each character that begins a token. Most texts hold few such
 * characters, so it runs at the speed of a scan for them.
 */
final class AddedTokens {
  private final Node root = new Node();
  private final BitSet beginnings = new BitSet();

  /** What is found: ids and the text between them. */
  interface Parts {
    void token(AddedToken token);

    /** Text without added tokens; never empty. */
    void text(int start, int end);
  }

  /**
   * @param content the text to look for, given the token
   */
  AddedTokens(List<AddedToken> tokens, Function<AddedToken, String> content) {
    for (AddedToken token : tokens) {
      String text = content.apply(token);
      if (text.isEmpty()) {
        continue;
      }
      Node node = root;
      for (int i = 0; i < text.length(); i++) {
        node = node.grow(text.charAt(i));
      }
      node.token = token;
      beginnings.set(text.charAt(0));
    }
  }

  /** Reports the whole text from left to right as tokens and text between them. */
  void cut(String text, Parts parts) {
    int done = 0;
    int at = 0;
    while (at < text.length()) {
      Found found = beginnings.get(text.charAt(at)) ? longest(text, at) : null;
      if (found == null) {
        at++;
        continue;
      }
      AddedToken token = found.token;
      int start = at;
      int end = found.end;
      at = end;
      if (token.singleWord() && (wordBefore(text, start) || wordAt(text, end))) {
        continue;
      }
      while (token.leftStrip() && start > done && WhiteSpace.is(text.charAt(start - 1))) {
        start--;
      }
      while (token.rightStrip() && end < text.length() && WhiteSpace.is(text.charAt(end))) {
        end++;
      }
      if (done < start) {
        parts.text(done, start);
      }
      parts.token(token);
      done = Math.max(done, end);
    }
    if (done < text.length()) {
      parts.text(done, text.length());
    }
  }

  private @Nullable Found longest(String text, int start) {
    Node node = root;
    Found best = null;
    for (int i = start; i < text.length(); i++) {
      Node next = node.next(text.charAt(i));
      if (next == null) {
        return best;
      }
      node = next;
      AddedToken token = node.token;
      if (token != null) {
        best = new Found(token, i + 1);
      }
    }
    return best;
  }

  private static boolean wordBefore(String text, int index) {
    return index > 0 && isWord(text.codePointBefore(index));
  }

  private static boolean wordAt(String text, int index) {
    return index < text.length() && isWord(text.codePointAt(index));
  }

  /** The class {@code \w} of Unicode Technical Standard 18, annex C. */
  private static boolean isWord(int codePoint) {
    int type = Character.getType(codePoint);
    return Character.isAlphabetic(codePoint)
        || type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.CONNECTOR_PUNCTUATION
        || codePoint == 0x200C
        || codePoint == 0x200D;
  }

  private record Found(AddedToken token, int end) {}

  /** A trie node whose edges are sorted by character. */
  private static final class Node {
    private char[] edges = new char[0];
    private Node[] targets = new Node[0];
    private @Nullable AddedToken token;

    @Nullable Node next(char c) {
      int index = Arrays.binarySearch(edges, c);
      return index < 0 ? null : targets[index];
    }

    Node grow(char c) {
      int index = Arrays.binarySearch(edges, c);
      if (index >= 0) {
        return targets[index];
      }
      int place = -index - 1;
      char[] moreEdges = new char[edges.length + 1];
      Node[] moreTargets = new Node[edges.length + 1];
      System.arraycopy(edges, 0, moreEdges, 0, place);
      System.arraycopy(targets, 0, moreTargets, 0, place);
      System.arraycopy(edges, place, moreEdges, place + 1, edges.length - place);
      System.arraycopy(targets, place, moreTargets, place + 1, edges.length - place);
      Node fresh = new Node();
      moreEdges[place] = c;
      moreTargets[place] = fresh;
      edges = moreEdges;
      targets = moreTargets;
      return fresh;
    }
  }
}
