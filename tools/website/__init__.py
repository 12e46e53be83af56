"""The course as a site: an index and a page for each notebook, alive without a kernel."""
