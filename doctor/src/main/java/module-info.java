import org.jspecify.annotations.NullMarked;

/** What is wrong with a machine, which NCCL settings it needs, and containers that fit it. */
@NullMarked
module dev.duoka.doctor {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.ffi;
  requires transitive dev.duoka.machine;

  exports dev.duoka.doctor.check;
  exports dev.duoka.doctor.container;
  exports dev.duoka.doctor.nccl;

  // The reader of YAML reads these packages' tables out of this module.
  opens dev.duoka.doctor.check to
      dev.duoka.formats;
  opens dev.duoka.doctor.container to
      dev.duoka.formats;
  opens dev.duoka.doctor.nccl to
      dev.duoka.formats;
}
