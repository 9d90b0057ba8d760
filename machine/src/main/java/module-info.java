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
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.ffi;

  exports dev.duoka.machine.container;
  exports dev.duoka.machine.doctor;
  exports dev.duoka.machine.environment;
  exports dev.duoka.machine.nccl;
  exports dev.duoka.machine.probe;
  exports dev.duoka.machine.topology;

  // The reader of YAML reads these packages' tables out of this module.
  opens dev.duoka.machine.container to
      dev.duoka.formats;
  opens dev.duoka.machine.doctor to
      dev.duoka.formats;
  opens dev.duoka.machine.nccl to
      dev.duoka.formats;
}
