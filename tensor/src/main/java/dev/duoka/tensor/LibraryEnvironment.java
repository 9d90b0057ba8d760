package dev.duoka.tensor;

import dev.duoka.ffi.environment.ProcessEnvironment;

/** The environment variables that LibTorch, CUDA and what they use read when they are loaded. */
public final class LibraryEnvironment {
  private LibraryEnvironment() {}

  /**
   * Sets a variable for libraries that are loaded after this. One that is set already stays.
   *
   * @throws dev.duoka.base.DuokaException when the system refuses it
   */
  public static void set(String name, String value) {
    ProcessEnvironment.set(name, value);
  }

  /**
   * Has LibTorch's allocator keep a card's memory in stretches of addresses that grow, unless the
   * user says how it is to work. Tensors of many sizes that come and go leave pieces of memory
   * behind that fit none of the next: of experts' rows 0.8 GiB of 16, of weights made for a while
   * from 4 bits 1.2 of 23. Where sizes recur nothing is gained, and the start takes longer: a
   * second for 93 GiB on each of two cards.
   */
  public static void letSegmentsGrow() {
    if (!ProcessEnvironment.has("PYTORCH_ALLOC_CONF")) {
      set("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True");
    }
  }
}
