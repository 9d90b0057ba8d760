package dev.duoka.comm.tcp;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What the processes of a run know each other by. Whoever calls shows that it knows the secret, and
 * so does whoever is called, by an HMAC-SHA-256 of numbers that both have just drawn; the secret
 * itself does not go over the connection. A run without one knows its processes by a word that
 * everybody has.
 */
public final class RunSecret {
  /** Holds the secret. */
  public static final String VARIABLE = "DUOKA_SECRET";

  /** Names a file that holds it, which only its owner may read. */
  public static final String FILE_VARIABLE = "DUOKA_SECRET_FILE";

  private static final String ALGORITHM = "HmacSHA256";
  private static final String NOBODYS = "duoka";
  private static final int NONCE_BYTES = 32;
  private static final int MAC_BYTES = 32;
  private static final int LONGEST_FILE = 4096;
  private static final byte[] CALLER = "caller".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CALLED = "called".getBytes(StandardCharsets.US_ASCII);

  private final SecretKeySpec key;

  private RunSecret(String text) {
    this.key = new SecretKeySpec(text.getBytes(StandardCharsets.UTF_8), ALGORITHM);
  }

  /**
   * The secret that an environment holds or names a file for.
   *
   * @throws DuokaException {@code CONFIG} when the file cannot be read, or others can read it
   */
  public static RunSecret of(Map<String, String> environment) {
    String text = environment.getOrDefault(VARIABLE, "").strip();
    String file = environment.getOrDefault(FILE_VARIABLE, "").strip();
    if (!text.isEmpty()) {
      return new RunSecret(text);
    }
    return new RunSecret(file.isEmpty() ? NOBODYS : read(Path.of(file)));
  }

  private static String read(Path file) {
    try {
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
      boolean own =
          Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE)
              .containsAll(permissions);
      String text = own && Files.size(file) <= LONGEST_FILE ? Files.readString(file).strip() : "";
      if (text.isEmpty()) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            FILE_VARIABLE
                + " names "
                + file
                + (own ? ", which holds no secret of 1 to 4096 bytes" : ", which others may read"),
            own ? "Write one into it" : "chmod 600 " + file);
      }
      return text;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read " + file + ", which " + FILE_VARIABLE + " names: " + IoReason.of(e),
          "Correct it",
          e);
    }
  }

  /**
   * The called side: whether the caller knows the secret. Waits for it, as long as the channel's
   * socket waits.
   */
  boolean admits(DataInputStream in, SocketChannel channel) throws IOException {
    byte[] callers = new byte[NONCE_BYTES];
    in.readFully(callers);
    byte[] called = nonce();
    OutputStream out = channel.socket().getOutputStream();
    out.write(called);
    out.write(mac(CALLED, callers, called));
    out.flush();
    return matches(in, mac(CALLER, callers, called));
  }

  /**
   * The calling side: shows that it knows the secret.
   *
   * @throws DuokaException {@code CONFIG} when the other side does not know it
   */
  public void introduce(DataInputStream in, SocketChannel channel, String who) throws IOException {
    byte[] callers = nonce();
    OutputStream out = channel.socket().getOutputStream();
    out.write(callers);
    out.flush();
    byte[] called = new byte[NONCE_BYTES];
    in.readFully(called);
    if (!matches(in, mac(CALLED, callers, called))) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          who + " does not have this process's secret, or none of duoka's listens there",
          "Give all processes the same " + VARIABLE + " or " + FILE_VARIABLE);
    }
    out.write(mac(CALLER, callers, called));
    out.flush();
  }

  private static boolean matches(DataInputStream in, byte[] expected) throws IOException {
    byte[] shown = new byte[MAC_BYTES];
    in.readFully(shown);
    return MessageDigest.isEqual(shown, expected);
  }

  private byte[] mac(byte[] side, byte[] callers, byte[] called) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(side);
      mac.update(callers);
      mac.update(called);
      return mac.doFinal();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has " + ALGORITHM, e);
    }
  }

  private static byte[] nonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    new SecureRandom().nextBytes(nonce);
    return nonce;
  }
}
