"""One writer for each format. Writers compare nothing and judge nothing."""
