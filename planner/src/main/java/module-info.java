import org.jspecify.annotations.NullMarked;

/** What to buy and which layout to run: memory and time of a step, search, cost. */
@NullMarked
module dev.duoka.planner {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;
  requires transitive dev.duoka.layout;
  requires transitive dev.duoka.formats;
  requires transitive dev.duoka.hardware;
  requires transitive dev.duoka.machine;
  requires transitive dev.duoka.parallel;
  requires transitive tools.jackson.databind;

  exports dev.duoka.planner.advise;
  exports dev.duoka.planner.figure;
  exports dev.duoka.planner.layout;
  exports dev.duoka.planner.machine;
  exports dev.duoka.planner.memory;
  exports dev.duoka.planner.report;
  exports dev.duoka.planner.search;
  exports dev.duoka.planner.shape;
  exports dev.duoka.planner.time;
}
