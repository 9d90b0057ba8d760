package dev.duoka.data.tokenizer;

import java.util.function.IntFunction;

/** For tokenizers whose every token is a fixed string of bytes. */
final class ByteStreamDecoder implements StreamingDecoder {
  private final IntFunction<byte[]> bytesOf;
  private final Utf8Decoder decoder = new Utf8Decoder();

  ByteStreamDecoder(IntFunction<byte[]> bytesOf) {
    this.bytesOf = bytesOf;
  }

  @Override
  public String add(int id) {
    StringBuilder out = new StringBuilder();
    decoder.add(bytesOf.apply(id), out);
    return out.toString();
  }

  @Override
  public String finish() {
    StringBuilder out = new StringBuilder();
    decoder.finish(out);
    return out.toString();
  }

  /** The whole text of {@code ids}. */
  String decodeAll(int[] ids) {
    StringBuilder out = new StringBuilder(ids.length * 4);
    for (int id : ids) {
      decoder.add(bytesOf.apply(id), out);
    }
    decoder.finish(out);
    return out.toString();
  }
}
