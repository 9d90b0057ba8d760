package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** Tokenising ended because its listener asked for it; nothing of it is kept. */
public final class TokenisationStoppedException extends DuokaException {
  private static final long serialVersionUID = 1L;

  /** What was asked for. */
  public TokenisationStoppedException() {
    super(
        ErrorCode.DATA, "tokenising was stopped", "Start again; it begins anew with this corpus.");
  }
}
