import org.jspecify.annotations.NullMarked;

/**
 * What the machine is and what is wrong with it: topology, live probe, doctor, NCCL settings,
 * containers.
 */
@NullMarked
module dev.duoka.machine {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.ffi;

  exports dev.duoka.machine.nccl;
  exports dev.duoka.machine.topology;
}
