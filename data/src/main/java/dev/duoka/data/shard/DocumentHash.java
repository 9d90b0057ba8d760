package dev.duoka.data.shard;

import java.nio.charset.StandardCharsets;

/** A 64-bit hash of a document's id, the same on every machine and in every run. */
public final class DocumentHash {
  private DocumentHash() {}

  /** FNV-1a over the UTF-8 bytes, then the finaliser of SplitMix64 to spread the low bits. */
  public static long of(String id) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : id.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
    return hash ^ (hash >>> 31);
  }
}
