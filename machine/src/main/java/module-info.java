import org.jspecify.annotations.NullMarked;

/** What the machine is: one snapshot of it, live or from captured outputs, and its topology. */
@NullMarked
module dev.duoka.machine {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.ffi;

  exports dev.duoka.machine.environment;
  exports dev.duoka.machine.probe;
  exports dev.duoka.machine.topology;
}
