package dev.duoka.data.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * Byte pair encoding of one piece after the other.
 *
 * <p>A piece is written as characters of the vocabulary, then pairs are merged in the order of the
 * merges. A character that the vocabulary lacks becomes the tokens of its UTF-8 bytes ({@code
 * byte_fallback}), else the unknown token; where the file defines neither it is left out, as the
 * tokenizers library does.
 */
final class BpeModel {
  private final Vocabulary vocabulary;
  private final Merger merger;
  private final int[] characters = new int[1 << 16];
  private final int[] byteTokens;
  private final BpeOptions options;
  private final PieceCache cache = new PieceCache();

  BpeModel(Vocabulary vocabulary, MergeTable merges, BpeOptions options) {
    this.vocabulary = vocabulary;
    this.merger = new Merger(merges);
    this.options = options;
    this.byteTokens = options.byteFallback() ? vocabulary.byteTokens() : new int[0];
    Arrays.fill(characters, Tokenizer.NONE);
    for (Map.Entry<String, Integer> entry : vocabulary.entries()) {
      if (entry.getKey().length() == 1) {
        characters[entry.getKey().charAt(0)] = entry.getValue();
      }
    }
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Appends the ids of all pieces. */
  void encode(Pieces pieces, IntList out) {
    char[] text = pieces.text().toCharArray();
    for (int i = 0; i < pieces.count(); i++) {
      int start = pieces.start(i);
      int end = pieces.end(i);
      if (end - start > PieceCache.LONGEST_PIECE) {
        encodePiece(text, start, end, out);
        continue;
      }
      int hash = PieceCache.hash(text, start, end);
      int[] known = cache.find(text, start, end, hash);
      if (known != null) {
        out.addAll(known);
      } else {
        int from = out.size();
        encodePiece(text, start, end, out);
        cache.put(text, start, end, hash, out.tail(from));
      }
    }
  }

  private void encodePiece(char[] text, int start, int end, IntList out) {
    if (options.ignoreMerges()) {
      int whole = vocabulary.id(new String(text, start, end - start));
      if (whole >= 0) {
        out.add(whole);
        return;
      }
    }
    int from = out.size();
    boolean unknown = false;
    for (int i = start; i < end; ) {
      int codePoint = Character.codePointAt(text, i, end);
      i += Character.charCount(codePoint);
      int id =
          codePoint < characters.length
              ? characters[codePoint]
              : vocabulary.id(Character.toString(codePoint));
      if (id < 0 && options.byteFallback() && addBytes(codePoint, out)) {
        continue;
      }
      // An unknown token is written when the run of unknown characters ends.
      if (unknown && (id >= 0 || !options.fuseUnknown())) {
        out.add(options.unknownId());
      }
      unknown = id < 0 && options.unknownId() >= 0;
      if (id >= 0) {
        out.add(id);
      }
    }
    if (unknown) {
      out.add(options.unknownId());
    }
    merger.merge(out, from);
  }

  private boolean addBytes(int codePoint, IntList out) {
    byte[] bytes = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
    int from = out.size();
    for (byte octet : bytes) {
      int id = byteTokens[octet & 0xFF];
      if (id < 0) {
        out.truncate(from);
        return false;
      }
      out.add(id);
    }
    return true;
  }
}
