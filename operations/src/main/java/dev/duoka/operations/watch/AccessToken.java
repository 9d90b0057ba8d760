package dev.duoka.operations.watch;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * What a browser must know to be told anything, drawn anew for each server.
 *
 * @param text 43 letters, digits, {@code -} and {@code _}
 */
record AccessToken(String text) {
  private static final int BYTES = 32;
  private static final String SCHEME = "Bearer ";

  /** A new one, from the system's own source. */
  static AccessToken random() {
    byte[] bytes = new byte[BYTES];
    new SecureRandom().nextBytes(bytes);
    return new AccessToken(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  /** Whether a header {@code Authorization} has it; takes as long for any wrong one. */
  boolean isIn(String authorization) {
    return MessageDigest.isEqual(
        (SCHEME + text).getBytes(StandardCharsets.UTF_8),
        authorization.getBytes(StandardCharsets.UTF_8));
  }

  /** Says nothing, so that it gets into no log. */
  @Override
  public String toString() {
    return "AccessToken";
  }
}
