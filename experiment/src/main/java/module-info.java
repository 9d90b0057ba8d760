import org.jspecify.annotations.NullMarked;

/** What is tried out before it is kept: changes of a run, and more cards than one. */
@NullMarked
module dev.duoka.experiment {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.train;
  requires dev.duoka.machine;
  requires dev.duoka.operations;

  exports dev.duoka.experiment.arm;
  exports dev.duoka.experiment.ladder;
  exports dev.duoka.experiment.trial;
  exports dev.duoka.experiment.tune;
  exports dev.duoka.experiment.verdict;
}
