import org.jspecify.annotations.NullMarked;

/** The command line: one class per command. */
@NullMarked
module dev.duoka.cli {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.data;
  requires transitive dev.duoka.train;
  requires transitive dev.duoka.verify;
  requires transitive dev.duoka.measure;
  requires transitive dev.duoka.machine;
  requires transitive dev.duoka.doctor;
  requires transitive dev.duoka.diagnosis;
  requires transitive dev.duoka.planner;
  requires transitive dev.duoka.operations;
  requires transitive dev.duoka.experiment;
  requires transitive info.picocli;
  requires jdk.unsupported;
  requires org.tukaani.xz;

  exports dev.duoka.cli;

  opens dev.duoka.cli.command to
      info.picocli;
}
