// The link test of one layer: see check_links_alone() in layer.cmake.
int main() { return 0; }
