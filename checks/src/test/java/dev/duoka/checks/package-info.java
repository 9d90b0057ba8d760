/**
 * Tests of the repository as a whole: boundaries between modules, packaging, documentation, format.
 */
package dev.duoka.checks;
