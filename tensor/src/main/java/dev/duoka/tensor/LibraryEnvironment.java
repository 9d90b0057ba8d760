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
}
