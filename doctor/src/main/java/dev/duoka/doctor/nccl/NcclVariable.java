package dev.duoka.doctor.nccl;

import java.util.Optional;

/**
 * An environment variable that NCCL, or PyTorch's use of it, reads.
 *
 * @param name for example {@code NCCL_P2P_LEVEL}
 * @param scope what must be in use for it to matter
 * @param summary what it does, one clause
 * @param defaultValue what holds when it is not set
 * @param values a pattern of sensible values, letter case ignored
 * @param since the first version that reads it
 * @param deprecated the version since which another variable is preferred
 * @param removed the version that stopped reading it
 * @param replacedBy the variable to use instead
 * @param wrongNameOf the name that is meant where this one is read by nothing; {@code none} where
 *     there is none
 * @param pitfall what goes wrong with it
 * @param source where this is from
 */
public record NcclVariable(
    String name,
    Scope scope,
    String summary,
    String defaultValue,
    Optional<String> values,
    Optional<String> since,
    Optional<String> deprecated,
    Optional<String> removed,
    Optional<String> replacedBy,
    Optional<String> wrongNameOf,
    Optional<String> pitfall,
    String source) {

  /** What must be in use for a variable to matter. */
  public enum Scope {
    /** Nothing special. */
    ANY,
    /** Logging and checks. */
    DEBUG,
    /** Direct copies between GPUs of one machine. */
    P2P,
    /** Copies through host memory in one machine. */
    SHM,
    /** Multicast and reductions in NVSwitch. */
    NVLS,
    /** Connecting the ranks, also in one machine. */
    BOOTSTRAP,
    /** Any network between machines. */
    NETWORK,
    /** TCP between machines. */
    SOCKET,
    /** InfiniBand or RoCE between machines. */
    IB,
    /** NVLink between machines. */
    MNNVL,
    /** PyTorch's process group; NCCL does not read it. */
    PYTORCH,
    /** What a container image says of itself; nothing reads it. */
    IMAGE;

    /** Whether it concerns traffic between machines alone. */
    public boolean betweenMachines() {
      return this == NETWORK || this == SOCKET || this == IB || this == MNNVL;
    }
  }
}
