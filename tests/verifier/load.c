// Loads each program of /programs and prints what the kernel says of it. It runs as init of a machine that has nothing else.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <linux/bpf.h>
static char logb[1<<22];
static int bpf(int c, union bpf_attr *a){ return syscall(__NR_bpf,c,a,sizeof *a);}
static unsigned char *btf; static size_t btflen;
static uint32_t u32(const unsigned char*p){uint32_t v; memcpy(&v,p,4); return v;}
static int kfunc_id(const char *name){
  if(!btf) return 0;
  uint32_t hl=u32(btf+4), to=u32(btf+8), tl=u32(btf+12), so=u32(btf+16);
  unsigned char*t=btf+hl+to,*e=t+tl; char*s=(char*)btf+hl+so; int id=1;
  while(t<e){ uint32_t n=u32(t),info=u32(t+4); int k=(info>>24)&31, vl=info&0xffff; size_t z=12;
    if(k==12 && !strcmp(s+n,name)) return id;
    switch(k){case 1:z+=4;break;case 3:z+=12;break;case 4:case 5:z+=12*vl;break;case 6:z+=8*vl;break;case 13:z+=8*vl;break;case 14:z+=4;break;case 15:z+=12*vl;break;case 17:z+=4;break;case 19:z+=12*vl;break;}
    t+=z; id++; }
  return 0;
}
int main(void){
  mkdir("/proc",0755); mkdir("/sys",0755); mount("proc","/proc","proc",0,0); mount("sysfs","/sys","sysfs",0,0);
  int f=open("/sys/kernel/btf/vmlinux",O_RDONLY); if(f>=0){ btf=malloc(64<<20); ssize_t n; while((n=read(f,btf+btflen,1<<20))>0) btflen+=n; }
  printf("BTF %zu\n",btflen);
  // maps
  struct {int type,ks,vs,n,fl;} md[]={ {2,4,16,4,0},{1,4,8,16,0},{27,0,0,4096,0},{3,4,4,4,0},{14,4,4,4,0},{2,4,16,1,BPF_F_RDONLY_PROG},{4,4,4,4,0},{6,4,8,4,0} };
  int maps[8];
  for(int i=0;i<8;i++){ union bpf_attr a; memset(&a,0,sizeof a); a.map_type=md[i].type;a.key_size=md[i].ks;a.value_size=md[i].vs;a.max_entries=md[i].n;a.map_flags=md[i].fl; maps[i]=bpf(BPF_MAP_CREATE,&a); if(maps[i]<0) printf("map %d: %s\n",i,strerror(errno)); }
  { // rodata
    union bpf_attr a; uint32_t k=0; unsigned char v[16]="hello %d\n"; memset(&a,0,sizeof a); a.map_fd=maps[5]; a.key=(uint64_t)&k; a.value=(uint64_t)v; bpf(BPF_MAP_UPDATE_ELEM,&a); memset(&a,0,sizeof a); a.map_fd=maps[5]; bpf(22,&a); }
  f=open("/programs",O_RDONLY); struct stat st; fstat(f,&st); unsigned char*p=malloc(st.st_size); read(f,p,st.st_size); unsigned char*e=p+st.st_size;
  // record: u32 type, u32 attach, u32 ninsn, u32 nrel, char name[64], rel[]{u32 slot,u32 kind(1 map,2 mapval,3 kfunc), u32 arg, char name[48]}, insns
  while(p<e){ uint32_t type=u32(p),at=u32(p+4),n=u32(p+8),r=u32(p+12); char*name=(char*)p+16; p+=80; unsigned char*rel=p; p+=60*r; unsigned char*in=p; p+=8*n;
    for(uint32_t i=0;i<r;i++,rel+=60){ unsigned char*x=in+8*u32(rel); uint32_t k=u32(rel+4),a=u32(rel+8);
      if(k==1){ x[1]=(x[1]&15)|(1<<4); memcpy(x+4,&maps[a&255],4);} else if(k==2){ x[1]=(x[1]&15)|(2<<4); memcpy(x+4,&maps[a&255],4); uint32_t o=a>>8; memcpy(x+12,&o,4);} else { int id=kfunc_id((char*)rel+12); x[1]=(x[1]&15)|(2<<4); memcpy(x+4,&id,4); if(!id) printf("no kfunc %s\n",rel+12);} }
    union bpf_attr a; memset(&a,0,sizeof a); a.prog_type=type; a.expected_attach_type=at; a.insn_cnt=n; a.insns=(uint64_t)in; a.license=(uint64_t)"GPL"; a.log_level=1; a.log_buf=(uint64_t)logb; a.log_size=sizeof logb; logb[0]=0;
    int fd=bpf(BPF_PROG_LOAD,&a); int er=errno; 
    if(fd<0) printf("@@ %s refused %d\n",name,er); else { printf("@@ %s accepted\n",name); close(fd);} 
    size_t L=strlen(logb); size_t from=L>1500?L-1500:0; printf("%s\n@@end\n",logb+from); fflush(stdout);
  }
  printf("ALLDONE\n"); fflush(stdout); sync(); reboot(RB_POWER_OFF); for(;;) pause();
}
