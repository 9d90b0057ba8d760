package dev.duoka.ffi.nccl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.LibraryChoice;
import dev.duoka.ffi.library.NvidiaLibraries;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import dev.duoka.ffi.torch.LibTorch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** The NCCL that is installed beside LibTorch. Thread-safe. */
public final class Nccl {
  /** System property that names the library file, instead of searching for it. */
  public static final String PROPERTY = "duoka.nccl";

  /** Older ones hang where several communicators share a proxy thread (NCCL 2.28.9's notes). */
  private static final int OLDEST = 22_809;

  private static final String REMEDY =
      "Install it beside PyTorch (pip install nvidia-nccl-cu13, or nvidia-nccl-cu12 for CUDA 12),"
          + " or name the file with -D"
          + PROPERTY;

  private static final Map<LibraryChoice, Presence<Nccl>> FOUND = new ConcurrentHashMap<>();

  private final NcclFunctions functions;
  private final String library;
  private final int version;

  private Nccl(NcclFunctions functions, String library) {
    this.functions = functions;
    this.library = library;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      int result = (int) functions.version.invokeExact(number);
      this.version = result == 0 ? number.get(JAVA_INT, 0) : 0;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * The library that fits the loaded LibTorch, of version 2.28.9 or later: from the property
   * {@value #PROPERTY}, from the {@code nvidia-nccl} package beside LibTorch, or where the loader
   * finds it.
   */
  public static Presence<Nccl> find() {
    return FOUND.computeIfAbsent(LibTorch.load(), Nccl::search);
  }

  private static Presence<Nccl> search(LibraryChoice torch) {
    String explicit = System.getProperty(PROPERTY, "");
    List<String> candidates =
        explicit.isBlank()
            ? new NvidiaLibraries(torch).candidates(List.of("libnccl.so.2"))
            : List.of(explicit);
    return SharedLibrary.open(
        candidates,
        REMEDY,
        library -> {
          Nccl nccl = new Nccl(new NcclFunctions(library.symbols()), library.name());
          return nccl.version >= OLDEST
              ? Presence.of(nccl)
              : Presence.absent(
                  library.name()
                      + " is NCCL "
                      + nccl.versionText()
                      + ", and 2.28.9 is the oldest that several communicators on one card can"
                      + " trust",
                  REMEDY);
        });
  }

  /** The path or name that the library was opened by. */
  public String library() {
    return library;
  }

  /** For example {@code 2.28.9}. */
  public String versionText() {
    return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
  }

  /** A new name for a communicator; one rank asks for it and hands it to the others. */
  public NcclId newId() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment id = arena.allocate(NcclFunctions.UNIQUE_ID);
      check((int) functions.uniqueId.invokeExact(id), 0, "ncclGetUniqueId");
      return new NcclId(id.toArray(JAVA_BYTE));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Joins the communicator of this id on the calling thread's current device. Waits until all ranks
   * are there.
   *
   * @param limit how long to wait for them
   * @param stopped asked while waiting: whether the run has ended, so that nobody will come
   * @throws DuokaException {@code RANK_LOST} when they do not come in time
   */
  public NcclComm join(NcclId id, int ranks, int rank, Duration limit, BooleanSupplier stopped) {
    // NCCL's own thread writes the handle once more when the communicator is ready.
    Arena lasting = Arena.ofAuto();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = lasting.allocate(JAVA_LONG);
      MemorySegment name = arena.allocate(NcclFunctions.UNIQUE_ID);
      MemorySegment.copy(id.bytes(), 0, name, JAVA_BYTE, 0, NcclId.BYTES);
      int result =
          (int)
              functions.initRank.invokeExact(
                  handle, ranks, name, rank, NcclConfig.nonblocking(lasting, version));
      NcclComm comm = new NcclComm(this, handle);
      comm.ready(result, "ncclCommInitRankConfig", new NcclComm.Patience(limit, stopped));
      return comm;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  NcclFunctions functions() {
    return functions;
  }

  int version() {
    return version;
  }

  void check(int result, long comm, String function) {
    if (result != 0 && result != NcclComm.IN_PROGRESS) {
      throw failure(result, comm, function);
    }
  }

  DuokaException failure(int result, long comm, String function) {
    String detail = text(comm);
    return new DuokaException(
        ErrorCode.NATIVE_CALL,
        function + " failed in NCCL " + versionText() + ": " + errorString(result) + detail,
        "NCCL_DEBUG=WARN in the environment lets NCCL say more");
  }

  @SuppressWarnings("restricted") // bounded view of a C string
  private String text(long comm) {
    try {
      MemorySegment text = (MemorySegment) functions.lastError.invokeExact(comm);
      String last = text.address() == 0 ? "" : text.reinterpret(4096).getString(0).strip();
      return last.isEmpty() ? "" : " (" + last + ")";
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @SuppressWarnings("restricted") // bounded view of a static C string
  private String errorString(int result) {
    try {
      MemorySegment text = (MemorySegment) functions.errorString.invokeExact(result);
      return text.address() == 0 ? "result " + result : text.reinterpret(4096).getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
