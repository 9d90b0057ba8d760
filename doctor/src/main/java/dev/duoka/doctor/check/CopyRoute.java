package dev.duoka.doctor.check;

import dev.duoka.ffi.cuda.HostMemory;

/** A way that data take to or between GPUs. All methods return when the bytes have arrived. */
interface CopyRoute extends AutoCloseable {
  /** Whether the GPUs reach each other without the host. */
  boolean direct();

  /** Where the pattern begins, another one for each route. */
  long seed();

  /** Puts bytes that are not the pattern at the route's end. */
  void clear(HostMemory zeros);

  /** Puts the pattern at the route's start. */
  void send(HostMemory pattern);

  /** Copies what lies at the start to the end. */
  void copy();

  /** Fetches what lies at the end. */
  void receive(HostMemory arrived);

  @Override
  void close();
}
