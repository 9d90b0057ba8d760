package dev.duoka.base;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256, which every Java runtime has. */
public final class Sha256 {
  private Sha256() {}

  /** A fresh digest to feed with {@code update}. */
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  /** The 32 bytes of the hash of {@code content}. */
  public static byte[] of(byte[] content) {
    return digest().digest(content);
  }
}
